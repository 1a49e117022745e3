"""One submission in the sealed sandbox, against the same steps in the same browser with no seal.

Both use the built-in worker and a fresh context each. Ours goes to its pages through a door, TLS,
routes and scripts of the seal; the peer over TLS straight to a server that shows the same ones.
"""

from __future__ import annotations

import asyncio
import contextlib

from playwright.async_api import async_playwright

from benchmarks.bare_loop import bare_browser, submit_bare
from benchmarks.measure import compare, tell
from harness.model import Order
from replay.browser import find_browser, launch_browser
from replay.sandbox.conditions import Condition
from replay.sandbox.seal import launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import make_site
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
        plain = await stack.enter_async_context(bare_browser([order]))
        sealed = await launch_browser(
            playwright, find_browser(), args=launch_args(spki=sandbox.spki), proxy=nowhere.address
        )
        stack.push_async_callback(sealed.close)

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
            await submit_bare(plain, order)

        def sync(work: object) -> None:
            asyncio.run_coroutine_threadsafe(work(), loop).result()  # type: ignore[operator]

        measured = await asyncio.to_thread(compare, lambda: sync(ours), lambda: sync(peer))
    tell("one submission", "the sealed sandbox", "no seal at all", measured)
