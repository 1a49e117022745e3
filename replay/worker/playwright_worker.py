"""The built-in worker: the steps and the judge of the new production worker, without its naps.

Where production sleeps half a second after each step and waits for the network to be idle, this
one waits for the condition that the sleep stood for. Steps, order, texts and judge are the same.
"""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import BrowserContext, Page, Request
from playwright.async_api import Error as PlaywrightError

from harness.model import Claim, Order, Outcome, PlanStep
from replay.worker.contract import Timeouts
from replay.worker.progress import at_step

INDICATORS = ("success", "thank you", "submitted", "received")
"""The judge: submitted if the final HTML, in lower case, contains one of these anywhere."""

NO_INDICATORS = "No success indicators found on final page"
_CAPTCHA_SCRIPT = """() => {
  const captcha = document.querySelector(
    ".g-recaptcha[data-sitekey], .h-captcha[data-sitekey], iframe[title*='captcha' i]");
  if (!captcha) return null;
  const form = document.querySelector("form");
  const before = !form || (captcha.compareDocumentPosition(form)
    & Node.DOCUMENT_POSITION_FOLLOWING);
  return before ? (captcha.className || captcha.title || captcha.tagName) : null;
}"""


class StepError(Exception):
    """A step that could not be carried out."""


class _Documents:
    """Which documents of a page were asked for and have not arrived."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._pending: set[Request] = set()
        self._arrived = asyncio.Event()
        self._arrived.set()
        page.on("request", self._asked)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    async def arrive(self, timeout_ms: float) -> None:
        """Wait until none is on its way; StepError after `timeout_ms`."""
        try:
            await asyncio.wait_for(self._arrived.wait(), timeout_ms / 1000)
        except TimeoutError:
            raise StepError(f"Page.wait: Timeout {timeout_ms:g}ms exceeded.") from None

    def _asked(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            self._pending.add(request)
            self._arrived.clear()

    def _ended(self, request: Request) -> None:
        self._pending.discard(request)
        if not self._pending:
            self._arrived.set()


class PlaywrightWorker:
    """Steps: goto, fill, select, click, wait; then the judge."""

    name = "playwright"

    def __init__(self, timeouts: Timeouts | None = None) -> None:
        self.timeouts = timeouts or Timeouts()

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        """Carry out the plan in one page and judge the last one seen."""
        started, done = time.perf_counter(), 0
        page: Page | None = None
        status, error_text, error_step = Outcome.FAILED, None, None
        try:
            page = await context.new_page()
            documents = _Documents(page)
            for number, step in enumerate(order.plan, start=1):
                error_step = _describe(step)
                at_step(number, error_step)
                await self._carry_out(page, step, documents)
                done += 1
            error_step = None
            html = (await page.content()).lower()
            if any(word in html for word in INDICATORS):
                status = Outcome.SUBMITTED
            else:
                error_text = NO_INDICATORS
        except (PlaywrightError, StepError) as error:
            error_text = f"Step execution failed: {_first_line(error)}"
        return Claim(
            status=status,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
            error_text=error_text,
            error_step=error_step,
            final_url=page.url if page is not None else None,
            steps_done=done,
        )

    async def _carry_out(self, page: Page, step: PlanStep, documents: _Documents) -> None:
        action_ms = self.timeouts.action_ms
        match step.action:
            case "goto":
                await page.goto(
                    _given(step, "url", step.url), wait_until="load", timeout=self.timeouts.goto_ms
                )
                captcha = await page.evaluate(_CAPTCHA_SCRIPT)
                if captcha:
                    raise StepError(f"captcha in front of the form ({captcha})")
            case "fill":
                selector = _given(step, "selector", step.selector)
                await page.fill(selector, step.value or "", timeout=action_ms)
            case "select":
                selector = _given(step, "selector", step.selector)
                await page.select_option(selector, step.value or "", timeout=action_ms)
            case "click":
                await page.click(_given(step, "selector", step.selector), timeout=action_ms)
            case "wait":
                await self._wait(page, step, documents)
            case other:
                raise StepError(f"Unknown action: {other}")

    async def _wait(self, page: Page, step: PlanStep, documents: _Documents) -> None:
        if step.until is None and step.seconds is not None:
            await asyncio.sleep(step.seconds)
            return
        # A click may return before its navigation commits; the old page is idle by then, and to
        # judge it would be to judge the form. So first the document that was asked for.
        idle_ms = self.timeouts.idle_ms
        await documents.arrive(idle_ms)
        await page.wait_for_load_state("networkidle", timeout=idle_ms)


def _given(step: PlanStep, name: str, value: str | None) -> str:
    if not value:
        raise StepError(f"{step.action} without a {name}")
    return value


def _describe(step: PlanStep) -> str:
    return " ".join(filter(None, (step.action, step.selector or step.url or step.until)))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
