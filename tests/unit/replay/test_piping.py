"""Two connections that lead into each other, and what is left of them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from replay.sandbox.piping import pipe_both

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _pair() -> tuple[Streams, Streams]:
    one, other = socket.socketpair()
    return await asyncio.open_connection(sock=one), await asyncio.open_connection(sock=other)


def test_what_one_end_says_the_other_hears_until_either_closes() -> None:
    async def run() -> None:
        outer, near = await _pair()
        far, inner = await _pair()
        task = asyncio.create_task(pipe_both(*near, *far))
        outer[1].write(b"ping")
        assert await inner[0].readexactly(4) == b"ping"
        inner[1].write(b"pong")
        assert await outer[0].readexactly(4) == b"pong"
        inner[1].close()
        await task
        assert far[1].is_closing()
        for writer in (outer[1], near[1], far[1], inner[1]):
            writer.close()

    asyncio.run(run())


def test_whoever_is_ended_twice_still_lets_go_of_the_far_end() -> None:
    """Once for the connections there are, and once more when the listener closes."""

    async def run() -> None:
        outer, near = await _pair()
        far, inner = await _pair()
        task = asyncio.create_task(pipe_both(*near, *far))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        closed = far[1].is_closing()
        for writer in (outer[1], near[1], far[1], inner[1]):
            writer.close()
        assert closed

    asyncio.run(run())
