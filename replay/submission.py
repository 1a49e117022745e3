"""Carries out one submission in a context of its own. Every end of it is an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, replace

from playwright.async_api import Browser, BrowserContext

from harness.model import Claim, Order, Outcome
from replay.evidence.capture import Capture
from replay.sandbox.seal import context_options, guard
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.select import Replayable
from replay.worker.contract import Worker
from replay.worker.progress import heard_by

_UNWIND_S = 5.0
"""How long a worker that was ended, or a context that is closed, may take for it."""

_PULSE_S = 2.0
"""How often a browser is asked for a sign of life while a worker takes long."""


class BrowserLostError(Exception):
    """The browser died before the worker was given anything: the submission has not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One submission that has its outcome."""

    of: Replayable
    visit: Visit
    claim: Claim
    crashed: bool = False
    """The browser or the worker died of it, or beside it."""
    browser_lost: bool = False
    """It was the browser, which must not be used again."""
    overloaded: bool = False
    """It timed out, where no site was slow, while its machine was starved."""


async def carry_out(
    submission: Replayable,
    visit: Visit,
    *,
    worker: Worker,
    browser: Browser,
    sandbox: Sandbox,
    limit_s: float,
    capture: Capture | None = None,
) -> Finished:
    """Give the order to the worker and return what it claims; `visit` collects what the site saw.

    limit_s: a worker that has not answered by then is ended. Its crash, that of the browser and
    being stuck are outcomes with their reason. capture: keeps evidence. Raises BrowserLostError.
    """
    async with sandbox.door(visit) as door:
        try:
            context = await browser.new_context(
                **context_options(door.address), **(capture.options() if capture else {})
            )
            await guard(context, visit)
            if capture is not None:
                await capture.begin(context)
        except Exception as error:
            # Not only Playwright's own errors: the death of its driver is a bare Exception.
            raise BrowserLostError(str(error)) from error
        try:
            with heard_by(visit.begin_step):
                ending = await _end_of(worker, submission.order, context, browser, limit_s)
        finally:
            if capture is not None:
                await capture.end(context)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(context.close(), _UNWIND_S)
    if capture is not None:
        await capture.draw_recorded(browser)
    return Finished(
        of=submission,
        visit=visit,
        claim=ending.claim,
        crashed=ending.crashed,
        browser_lost=ending.browser_lost,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    claim: Claim
    crashed: bool = False
    browser_lost: bool = False


async def _end_of(
    worker: Worker, order: Order, context: BrowserContext, browser: Browser, limit_s: float
) -> _Ending:
    started = time.perf_counter()

    def failed(text: str) -> Claim:
        duration_ms = round((time.perf_counter() - started) * 1000, 1)
        return Claim(status=Outcome.FAILED, duration_ms=duration_ms, error_text=text)

    task = asyncio.ensure_future(worker.submit(order, context))
    try:
        alive = await _wait(task, browser, limit_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_UNWIND_S)
    # What a worker says about a browser that died under it is only a symptom.
    claim = failed("crash of the browser")
    if not alive:
        return _Ending(claim=claim, crashed=True, browser_lost=True)
    if not task.done() or task.cancelled():
        return _Ending(claim=failed(f"stuck: no result after {limit_s:g} s (timeout)"))
    error = task.exception()
    if error is None and task.result().status is Outcome.SUBMITTED:
        return _Ending(claim=task.result())
    if not await _answers(browser):
        step = task.result().error_step if error is None else None
        return _Ending(claim=replace(claim, error_step=step), crashed=True, browser_lost=True)
    if error is None:
        return _Ending(claim=task.result())
    words = (str(error).strip().splitlines() or [""])[0]
    text = f"crash of the worker: {type(error).__name__}: {words}"
    return _Ending(claim=failed(text), crashed=True)


async def _wait(task: asyncio.Future[Claim], browser: Browser, limit_s: float) -> bool:
    """Wait for the worker, at most `limit_s`; False as soon as its browser is found dead.

    A worker that waits for an event of its page would not hear of that death.
    """
    deadline = time.monotonic() + limit_s
    while (left_s := deadline - time.monotonic()) > 0:
        done, _ = await asyncio.wait({task}, timeout=min(_PULSE_S, left_s))
        if done:
            break
        if not await _answers(browser):
            return False
    return True


async def _answers(browser: Browser) -> bool:
    """Whether browser and driver are still there; ``is_connected`` learns of it late or never."""
    try:
        session = await asyncio.wait_for(browser.new_browser_cdp_session(), _UNWIND_S)
        await session.detach()
    except Exception:
        return False
    return True
