"""One submission in the sealed sandbox, against the same steps in the same browser with no seal.

Both use the built-in worker and a fresh context each. Ours goes through a door, TLS, the routes and
scripts of the seal to the sandbox; the peer straight to a plain server that shows the same pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from benchmarks.measure import compare, tell
from harness.model import Order, PlanStep
from replay.browser import find_browser, launch_browser
from replay.sandbox.conditions import Condition
from replay.sandbox.seal import launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import Hit, Site, make_site
from replay.sandbox.visit import Visit
from replay.select import Replayable, synthesise_plan
from replay.submission import carry_out
from replay.worker.playwright_worker import PlaywrightWorker

HOST = "maple-listings.example"
BUSINESS = {
    "name": "Maple Joinery",
    "email": "desk@maple-joinery.example",
    "phone": "+12025550142",
    "website": "https://maple-joinery.example",
    "description": "Tables and chairs.",
}


def run() -> None:
    """Print the ratio."""
    with asyncio.Runner() as runner:
        runner.run(_measure(runner.get_loop()))


async def _measure(loop: asyncio.AbstractEventLoop) -> None:
    order = Order(job_id="bench", directory=HOST, plan=synthesise_plan(HOST, BUSINESS))
    site = make_site(order, Condition.ACCEPTED)
    async with contextlib.AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        sandbox = await stack.enter_async_context(Sandbox())
        nowhere = await stack.enter_async_context(sandbox.door(sandbox.nobody))
        port = await stack.enter_async_context(plain_server(site))
        path = find_browser()
        sealed = await launch_browser(
            playwright, path, args=launch_args(spki=sandbox.spki), proxy=nowhere.address
        )
        plain = await launch_browser(playwright, path)
        for browser in (sealed, plain):
            stack.push_async_callback(browser.close)

        async def ours() -> None:
            finished = await carry_out(
                Replayable(order=order, condition=Condition.ACCEPTED),
                Visit.of(order, site),
                worker=PlaywrightWorker(),
                browser=sealed,
                sandbox=sandbox,
                limit_s=60.0,
            )
            assert finished.visit.observation.accepted == 1

        async def peer() -> None:
            await _unsealed(plain, order, port)

        def sync(work: object) -> None:
            asyncio.run_coroutine_threadsafe(work(), loop).result()  # type: ignore[operator]

        measured = await asyncio.to_thread(compare, lambda: sync(ours), lambda: sync(peer))
    tell("one submission", "the sealed sandbox", "no seal at all", measured)


async def _unsealed(browser: Browser, order: Order, port: int) -> None:
    goto = PlanStep(action="goto", url=f"http://127.0.0.1:{port}/submit")
    context = await browser.new_context()
    plain = Order(job_id=order.job_id, directory=HOST, plan=(goto, *order.plan[1:]))
    claim = await PlaywrightWorker().submit(plain, context)
    assert claim.status == "submitted"
    await context.close()


@contextlib.asynccontextmanager
async def plain_server(site: Site) -> AsyncIterator[int]:
    async def answer(request: Request) -> HTMLResponse:
        hit = Hit(
            method=request.method,
            host=HOST,
            path=request.url.path,
            query="",
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
        )
        reply = site.answer(hit)
        return HTMLResponse(reply.body if reply else "", reply.status if reply else 500)

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    yield listener.getsockname()[1]
    server.should_exit = True
    await task
