"""Nothing gets out: a hostile site against the seal, whole and layer by layer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from harness.model import Order, PlanStep
from replay.browser import find_browser, launch_browser
from replay.sandbox.seal import context_options, guard, launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import Hit
from replay.sandbox.visit import Visit
from tests.browser.hostile import UNNAMED, UNREPORTED, WAYS, HostileSite
from tests.browser.outside import Outside

HOST = "hostile.example"
LINGER_S = 1.5
"""How long a page is left alone to get out; in the open all of it takes less than 1 s."""
PATIENCE_S = 10.0
"""How much longer, until what is expected has happened."""


class Arena:
    """One event loop, one sandbox, one driver and one sealed browser for the whole module."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.sandbox = Sandbox()
        self._stack = AsyncExitStack()
        self.playwright: Playwright
        self.sealed: Browser

    async def open(self) -> None:
        await self._stack.enter_async_context(self.sandbox)
        nowhere = await self._stack.enter_async_context(self.sandbox.door(self.sandbox.nobody))
        self.playwright = await self._stack.enter_async_context(async_playwright())
        args = launch_args(spki=self.sandbox.spki)
        self.sealed = await self.launch(args, proxy=nowhere.address)

    async def launch(self, args: list[str], *, proxy: str | None) -> Browser:
        browser = await launch_browser(self.playwright, find_browser(), args=args, proxy=proxy)
        self._stack.push_async_callback(browser.close)
        return browser

    def close(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    made = Arena()
    made.runner.run(made.open())
    yield made
    made.close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as listening:
        yield listening


async def wander(
    context: BrowserContext, base: str, until: Callable[[], bool] = lambda: True
) -> None:
    """Open every page of the hostile site at once and leave them alone, for a while and `until`."""

    async def visit(path: str) -> None:
        page = await context.new_page()
        # A page that is led outside at once does not load; that is the point.
        with contextlib.suppress(PlaywrightError):
            await page.goto(f"{base}{path}", timeout=5000)

    await asyncio.gather(*(visit(path) for path in HostileSite.paths))
    await asyncio.sleep(LINGER_S)
    deadline = time.monotonic() + PATIENCE_S
    while not until() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


def named(visit: Visit) -> set[str]:
    """Paths that were tried: the hostile site's own names of its ways."""
    return {urlsplit(escape.url).path.strip("/") for escape in visit.escapes}


def hostile_visit(outside: Outside) -> Visit:
    step = PlanStep(action="goto", url=f"https://{HOST}/")
    order = Order(job_id="job", directory=HOST, plan=(step,))
    return Visit.of(order, HostileSite(outside))


@contextlib.contextmanager
def served_plainly(site: HostileSite) -> Iterator[str]:
    """The same site without a sandbox, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hit = Hit(method="GET", host="", path=self.path, query="", content_type="", body=b"")
            reply = site.answer(hit)
            self.send_response(reply.status)
            for name, value in {"Content-Type": "text/html", **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body.encode())

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_in_the_open_every_way_out_leads_outside(arena: Arena, outside: Outside) -> None:
    """Without the seal the listeners hear all of it, so their silence means something."""

    async def run(base: str) -> None:
        browser = await arena.launch([], proxy=None)
        context = await browser.new_context()
        await wander(context, base, until=lambda: set(outside.came) >= WAYS)
        await context.close()
        await browser.close()

    with served_plainly(HostileSite(outside)) as base:
        arena.runner.run(run(base))
    assert WAYS - set(outside.came) == set()


def test_the_seal_lets_nothing_out_and_reports_every_attempt(
    arena: Arena, outside: Outside
) -> None:
    visit = hostile_visit(outside)
    seen = WAYS - UNREPORTED - set(UNNAMED)

    async def run() -> None:
        async with arena.sandbox.door(visit) as door:
            context = await arena.sealed.new_context(**context_options(door.address))
            await guard(context, visit)
            await wander(context, f"https://{HOST}", until=lambda: named(visit) >= seen)
            await context.close()

    arena.runner.run(run())
    assert outside.came == []
    kinds = {escape.kind for escape in visit.escapes}
    assert {"fetch", "image", "form", "websocket", "popup"} <= kinds
    assert {"beacon", "eventsource", "iframe", "script", "font", "media", "navigation"} <= kinds
    assert seen - named(visit) == set()
    assert set(UNNAMED.values()) <= kinds
    assert {(escape.job_id, escape.directory) for escape in visit.escapes} == {("job", HOST)}
    assert arena.sandbox.nobody.escapes == []


def test_doors_and_resolver_hold_without_the_routes(arena: Arena, outside: Outside) -> None:
    visit = hostile_visit(outside)
    seen = {"fetch", "form", "popup", "popup_written", "service_worker", "image", "beacon"}

    async def run() -> None:
        async with arena.sandbox.door(visit) as door:
            context = await arena.sealed.new_context(
                proxy={"server": door.address, "bypass": "<-loopback>"}
            )
            await wander(context, f"https://{HOST}", until=lambda: named(visit) >= seen)
            await context.close()

    arena.runner.run(run())
    assert outside.came == []
    assert seen - named(visit) == set()
    assert {escape.kind for escape in visit.escapes} == {"proxy"}


def test_the_resolver_holds_alone(arena: Arena, outside: Outside) -> None:
    """A browser without any proxy, whose pages may do what they like."""

    async def run(base: str) -> None:
        browser = await arena.launch(launch_args(spki=arena.sandbox.spki), proxy=None)
        context = await browser.new_context()
        await wander(context, base)
        await context.close()
        await browser.close()

    with served_plainly(HostileSite(outside)) as base:
        arena.runner.run(run(base))
    assert outside.came == []


def test_a_worker_cannot_read_files_or_reach_other_hosts(arena: Arena, outside: Outside) -> None:
    visit = hostile_visit(outside)
    ways = ("file:///etc/hostname", f"http://{outside.tcp}/goto", "https://other.example/goto")

    async def run() -> list[str]:
        async with arena.sandbox.door(visit) as door:
            context = await arena.sealed.new_context(**context_options(door.address))
            await guard(context, visit)
            page = await context.new_page()
            failed = []
            for way in ways:
                try:
                    await page.goto(way, timeout=3000)
                except PlaywrightError:
                    failed.append(way)
            await context.close()
            return failed

    assert arena.runner.run(run()) == list(ways)
    assert [escape.url for escape in visit.escapes] == list(ways)
    assert outside.came == []


def test_what_the_browser_does_by_itself_goes_nowhere(arena: Arena, outside: Outside) -> None:
    """A context without a door is led to the one that belongs to nobody."""

    async def run() -> None:
        context = await arena.sealed.new_context()
        page = await context.new_page()
        with contextlib.suppress(PlaywrightError):
            await page.goto(f"http://{outside.tcp}/goto", timeout=3000)
        await context.close()

    arena.runner.run(run())
    assert [escape.url for escape in arena.sandbox.nobody.escapes] == [f"http://{outside.tcp}/goto"]
    assert arena.sandbox.nobody.escapes[0].job_id is None
    arena.sandbox.nobody.escapes.clear()
    assert outside.came == []
