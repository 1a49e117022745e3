"""A door that leads to one visit after the other: whose connection is whose."""

from __future__ import annotations

import asyncio
import ssl

from harness.model import Order, PlanStep
from replay.sandbox.conditions import Condition
from replay.sandbox.gateway import Door
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import make_site
from replay.sandbox.visit import Visit

HOST = "maple.example"
POST = (
    b"POST /submit HTTP/1.1\r\nHost: maple.example\r\nContent-Length: 0\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)


def visit_of(job_id: str) -> Visit:
    step = PlanStep(action="goto", url=f"https://{HOST}/submit")
    order = Order(job_id=job_id, directory=HOST, plan=(step,))
    return Visit.of(order, make_site(order, Condition.ACCEPTED))


async def connected(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = int(door.address.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port)


async def tunnel(door: Door, sandbox: Sandbox) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection through the door to the site, as a browser keeps one."""
    reader, writer = await connected(door)
    writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    trusting = ssl.create_default_context(cadata=sandbox.authority_pem.decode())
    await writer.start_tls(trusting, server_hostname=HOST)
    return reader, writer


async def posted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Status line of an answer to a form; nothing if the connection is closed."""
    try:
        writer.write(POST)
        await writer.drain()
        return (await reader.readuntil(b"</main>")).partition(b"\r\n")[0]
    except (OSError, asyncio.IncompleteReadError):
        return b""


def test_a_kept_connection_does_not_post_for_the_next_submission() -> None:
    async def run() -> None:
        first, second, idle = visit_of("first"), visit_of("second"), Visit.of_nobody()
        async with Sandbox() as sandbox, sandbox.door(idle) as door:
            async with door.admit(first):
                kept = await tunnel(door, sandbox)
                assert await posted(*kept) == b"HTTP/1.1 200 OK"
            async with door.admit(second):
                assert await posted(*kept) == b""
                fresh = await tunnel(door, sandbox)
                assert await posted(*fresh) == b"HTTP/1.1 200 OK"
            for _, writer in (kept, fresh):
                writer.close()
        assert (first.observation.posts, second.observation.posts) == (1, 1)

    asyncio.run(run())


def test_between_two_visits_the_door_leads_nowhere() -> None:
    async def run() -> None:
        visit, idle = visit_of("one"), Visit.of_nobody()
        async with Sandbox() as sandbox, sandbox.door(idle) as door:
            async with door.admit(visit):
                pass
            reader, writer = await connected(door)
            writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 403 ")
            writer.close()
        assert [escape.url for escape in idle.escapes] == [f"{HOST}:443"]
        assert visit.escapes == []

    asyncio.run(run())
