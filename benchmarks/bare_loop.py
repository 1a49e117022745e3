"""The peer of a replay: a plain Playwright loop over the same orders, and a server of their pages.

What belongs to the work is the same on both sides: orders and pages, steps and their worker, the
Chromium with its quiet switches, the screen that production has, https with a handshake of its own
for each host and context, and the server's program. What is ours is missing: proxy, routes, scripts
and switches of the seal, limits, pace, events, journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import uvicorn
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from harness.model import Order
from replay.browser import find_browser, launch_browser
from replay.sandbox.certificates import Certificates
from replay.sandbox.conditions import Condition
from replay.sandbox.server import QuietServer
from replay.sandbox.sites import Hit, make_site
from replay.worker.playwright_worker import PlaywrightWorker

_SCREEN = {"width": 1920, "height": 1080}

_Measure = TypeVar("_Measure")


async def run_bare(
    orders: Sequence[Order], at_once: int, measure: Callable[[], _Measure]
) -> tuple[_Measure, _Measure]:
    """Carry them out; returns what was measured when all was ready, and after the last outcome."""
    left = iter(orders)
    async with bare_browser(orders) as browser:

        async def drain() -> None:
            for order in left:
                await submit_bare(browser, order)

        before = measure()
        await asyncio.gather(*(drain() for _ in range(at_once)))
        return before, measure()


async def submit_bare(browser: Browser, order: Order) -> None:
    """Carry out one order as a script would that nobody watches."""
    context = await browser.new_context(viewport=_SCREEN)  # type: ignore[arg-type]
    claim = await PlaywrightWorker().submit(order, context)
    if claim.status != "submitted":
        raise SystemExit(f"bare loop: {claim}")
    await context.close()


@contextlib.asynccontextmanager
async def bare_browser(orders: Sequence[Order]) -> AsyncIterator[Browser]:
    """A Chromium for which every host is a server of ours that shows the pages of these orders."""
    certificates = Certificates()
    async with async_playwright() as playwright, _served(orders, certificates) as port:
        browser = await launch_browser(
            playwright,
            find_browser(),
            args=[
                f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
                f"--ignore-certificate-errors-spki-list={certificates.spki}",
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def _served(orders: Sequence[Order], certificates: Certificates) -> AsyncIterator[int]:
    sites = {order.directory: make_site(order, Condition.ACCEPTED) for order in orders}

    async def answer(request: Request) -> HTMLResponse:
        host = request.headers.get("host", "").removeprefix("www.")
        hit = Hit(
            method=request.method,
            host=host,
            path=request.url.path,
            query=request.url.query,
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
        )
        reply = sites[host].answer(hit)
        return HTMLResponse(reply.body if reply else "", reply.status if reply else 500)

    listener = socket.create_server(("127.0.0.1", 0))
    # One certificate for all: to make one for each host is no part of a loop.
    context = certificates.server_context()
    context.sni_callback = None
    config = uvicorn.Config(
        Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]),
        log_config=None, log_level="critical", access_log=False, lifespan="off", ws="none",
        http="h11", ssl_context_factory=lambda _config, _default: context,
    )  # fmt: skip
    server = QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    yield listener.getsockname()[1]
    server.should_exit = True
    await task
