"""Nothing gets out: a hostile site against the seal, whole and layer by layer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from harness.model import Order, PlanStep
from replay.browser import find_browser, launch_browser
from replay.sandbox.certificates import Certificates
from replay.sandbox.layers import ALL_LAYERS, STOPS_ALONE, SealLayer
from replay.sandbox.seal import context_options, guard, launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import Hit
from replay.sandbox.visit import Visit
from replay.seal.isolation import NONE, Isolation, find_isolation
from replay.seal.slot import Slot
from tests.browser.hostile import FORBIDDEN, HINTS, RECORDED_AS, UNREPORTED, HostileSite, ways_at
from tests.browser.matrix import PAGE, layer_of, written
from tests.browser.outside import ADDRESS, Outside, wait_until

HOST = "hostile.example"
LINGER_S = 1.5
"""How long a page is left alone to get out; in the open all of it takes less than 1 s."""

_ASKING_US = """#!/bin/sh
exec unshare --mount --propagation private \\
  sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' {resolver} {browser} "$@"
"""


def browser_that_asks_us(folder: Path) -> Path:
    """A Chromium whose resolver is the one at the outside's address, where we may arrange that."""
    plain = find_browser()
    allowed = ["unshare", "--mount", "--propagation", "private", "true"]
    if os.geteuid() != 0 or subprocess.run(allowed, check=False).returncode != 0:
        return plain
    resolver, program = folder / "resolv.conf", folder / "browser"
    resolver.write_text(f"nameserver {ADDRESS}\n")
    program.write_text(_ASKING_US.format(resolver=resolver, browser=plain))
    program.chmod(0o755)
    return program


class Arena:
    """One event loop, one sandbox, one driver and one sealed browser for the whole module."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.sandbox = Sandbox()
        self.certificates = Certificates()
        """For a site that is served without the sandbox."""
        self._program = browser_that_asks_us(folder)
        self._stack = AsyncExitStack()
        self._nowhere = ""
        self.playwright: Playwright
        self.sealed: Browser

    async def open(self) -> None:
        await self._stack.enter_async_context(self.sandbox)
        nowhere = await self._stack.enter_async_context(self.sandbox.door(self.sandbox.nobody))
        self._nowhere = nowhere.address
        self.playwright = await self._stack.enter_async_context(async_playwright())
        args = launch_args(spki=self.sandbox.spki)
        self.sealed = await self._stack.enter_async_context(self.launch(args))

    @contextlib.asynccontextmanager
    async def launch(self, args: list[str], *, proxied: bool = True) -> AsyncIterator[Browser]:
        proxy = self._nowhere if proxied else None
        browser = await launch_browser(self.playwright, self._program, args=args, proxy=proxy)
        try:
            yield browser
        finally:
            await browser.close()

    def close(self) -> None:
        self.runner.run(self._stack.aclose())
        self.runner.close()


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    made = Arena(tmp_path_factory.mktemp("arena"))
    made.runner.run(made.open())
    yield made
    made.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that nobody has a reason to open."""
    path = tmp_path / "secret.txt"
    path.write_text("not for pages")
    return path


@pytest.fixture
def outside(secret: Path) -> Iterator[Outside]:
    with Outside(secret) as listening:
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
    await asyncio.to_thread(wait_until, until)


def tried(visit: Visit, outside: Outside) -> set[str]:
    """The ways that were written down."""
    return {outside.way_of(escape.url) for escape in visit.escapes}


def hostile_visit(outside: Outside) -> Visit:
    step = PlanStep(action="goto", url=f"https://{HOST}/")
    order = Order(job_id="job", directory=HOST, plan=(step,))
    return Visit.of(order, HostileSite(outside))


@contextlib.contextmanager
def served_plainly(site: HostileSite, certificates: Certificates) -> Iterator[int]:
    """The same site without a sandbox, on a port of loopback."""

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

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A browser that is closed breaks its connections off."""

    server = Server(("127.0.0.1", 0), Handler)
    context = certificates.server_context()
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def to_plain_site(args: list[str], port: int) -> list[str]:
    """These switches, with the hostile site's name led to a port of loopback."""
    name, led = "--host-resolver-rules=", f"MAP {HOST} 127.0.0.1:{port}"
    rules = [arg.removeprefix(name) for arg in args if arg.startswith(name)]
    return [*(arg for arg in args if not arg.startswith(name)), name + " , ".join([led, *rules])]


async def attack(
    arena: Arena,
    outside: Outside,
    layers: Collection[SealLayer],
    *,
    guarded: bool = True,
    until: Callable[[Visit], bool] = lambda visit: True,
) -> Visit:
    """Everything that the hostile site can do against these layers, in a browser of their own.

    guarded: whether the context, too, gets what there is of them besides its proxy.
    """
    visit = hostile_visit(outside)
    proxied = SealLayer.PROXY in layers
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(arena.sandbox.door(visit))
        if proxied:
            args = launch_args(spki=arena.sandbox.spki, layers=layers)
        else:
            site = served_plainly(HostileSite(outside), arena.certificates)
            args = to_plain_site(
                launch_args(spki=arena.certificates.spki, layers=layers), stack.enter_context(site)
            )
        browser = await stack.enter_async_context(arena.launch(args, proxied=proxied))
        inside = layers if guarded else set(layers) & {SealLayer.PROXY}
        context = await browser.new_context(**context_options(door.address, layers=inside))
        await guard(context, visit, layers=inside)
        await wander(context, f"https://{HOST}", until=lambda: until(visit))
        await context.close()
    return visit


def test_in_the_open_every_way_out_leads_outside(
    arena: Arena, outside: Outside, secret: Path
) -> None:
    """Without the seal the listeners hear all of it, so their silence means something."""
    ways = ways_at(outside)
    arena.runner.run(attack(arena, outside, (), until=lambda _: set(outside.came) >= ways))
    came = set(outside.came)
    assert ways - came == set()
    # The browser itself forbids the rest to a page, here and in production.
    assert came - ways - HINTS == set()
    assert came & {*FORBIDDEN, "file"} == set()

    async def read_a_file() -> None:
        async with arena.launch([], proxied=False) as browser:
            page = await browser.new_page()
            await page.goto(secret.as_uri())

    arena.runner.run(read_a_file())
    assert outside.wait_for({"file"})


def test_the_seal_lets_nothing_out_and_reports_every_attempt(
    arena: Arena, outside: Outside
) -> None:
    seen = ways_at(outside) - set(UNREPORTED)
    visit = arena.runner.run(
        attack(arena, outside, ALL_LAYERS, until=lambda visit: tried(visit, outside) >= seen)
    )
    assert outside.came == []
    assert seen - tried(visit, outside) == set()
    assert tried(visit, outside) & set(UNREPORTED) == set()
    for kind, ways in RECORDED_AS.items():
        by = {(one.kind, one.layer) for one in visit.escapes if outside.way_of(one.url) in ways}
        recorded = {outside.way_of(one.url) for one in visit.escapes if one.kind == kind}
        assert ways & ways_at(outside) - recorded == set(), kind
        assert (kind, layer_of(kind)) in by
    assert {(escape.job_id, escape.directory) for escape in visit.escapes} == {("job", HOST)}
    assert arena.sandbox.nobody.escapes == []


@pytest.mark.parametrize("layer", SealLayer)
def test_a_layer_alone_stops_what_is_said_of_it(
    arena: Arena, outside: Outside, layer: SealLayer
) -> None:
    """With this layer missing and all others on, just these ways lead outside."""
    expected = set(STOPS_ALONE[layer])
    visit = arena.runner.run(
        attack(arena, outside, ALL_LAYERS - {layer}, until=lambda _: expected <= set(outside.came))
    )
    assert set(outside.came) == expected
    # It was a real attack: what the other layers know of, they have written down.
    assert len(tried(visit, outside)) > 40


def test_doors_and_resolver_hold_without_what_is_in_the_context(
    arena: Arena, outside: Outside
) -> None:
    """As with a browser that a worker starts by itself: switches and proxy, nothing else."""
    seen = {"fetch", "form", "popup", "popup_written", "service_worker", "image", "beacon"}
    visit = arena.runner.run(
        attack(
            arena,
            outside,
            ALL_LAYERS,
            guarded=False,
            until=lambda visit: tried(visit, outside) >= seen,
        )
    )
    assert outside.came == []
    assert seen - tried(visit, outside) == set()
    assert {escape.kind for escape in visit.escapes} == {"proxy"}


def test_a_worker_cannot_read_files_or_reach_other_hosts(
    arena: Arena, outside: Outside, secret: Path
) -> None:
    visit = hostile_visit(outside)
    ways = (secret.as_uri(), outside.aim("http://@http@/goto"), "https://other.example/goto")

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
            await page.goto(outside.aim("http://@http@/goto"), timeout=3000)
        await context.close()

    arena.runner.run(run())
    assert [escape.url for escape in arena.sandbox.nobody.escapes] == [
        outside.aim("http://@http@/goto")
    ]
    assert arena.sandbox.nobody.escapes[0].job_id is None
    arena.sandbox.nobody.escapes.clear()
    assert outside.came == []


@pytest.mark.parametrize("isolation", [find_isolation(), NONE], ids=["slot", "no namespace"])
def test_the_browser_that_a_program_starts_lets_nothing_out(
    arena: Arena, outside: Outside, isolation: Isolation
) -> None:
    """Switches, proxy and what the machine allows: there is no context of ours to guard."""
    visit = hostile_visit(outside)
    url, patience = f"https://{HOST}/", "--timeout=2500"

    async def run() -> str:
        async with (
            Slot(arena.sandbox, find_browser(), isolation=isolation) as slot,
            slot.admit(visit),
        ):
            program = ["chromium", "--headless", "--dump-dom", patience, url]
            process = await slot.start(program)
            page = await process.answers.read()
            await process.wait()
            return page.decode()

    assert "shared_worker" in arena.runner.run(run())
    assert outside.came == []
    assert {"fetch", "image", "beacon", "iframe", "shared_worker"} <= tried(visit, outside)
    kinds = {escape.kind for escape in visit.escapes}
    assert kinds - {"udp", "tcp"} == {"proxy"}
    arena.sandbox.nobody.escapes.clear()


def test_the_page_about_the_seal_shows_what_is_tested() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "write it anew: python -m tests.browser.matrix"
