"""Keeps what one submission did in its context: trace, requests, console, pictures of the pages.

Nothing in here raises: evidence that cannot be had must not change an outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, TypedDict

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, WebError

from replay.sandbox.seal import is_mark

TRACE = "trace.zip"
REQUESTS = "requests.har"
CONSOLE = "console.json"
FINAL = "final.png"
RECORDED = "recorded.png"

_PATIENCE_S = 10.0
_LINES = 1_000
"""Lines of the console that are kept; a page may write without end."""


class HarOptions(TypedDict, total=False):
    """What a context needs to be told at its start."""

    record_har_path: Path
    record_har_content: Literal["embed"]


class Capture:
    """Evidence of one submission, in a folder that is there and empty."""

    def __init__(self, folder: Path, *, recorded: str | None) -> None:
        """recorded: HTML of the page under the recorded condition; None if no answer comes."""
        self.folder = folder
        self._recorded = recorded
        self._console: list[dict[str, str]] = []

    def options(self) -> HarOptions:
        """Options of the context to be watched."""
        return {"record_har_path": self.folder / REQUESTS, "record_har_content": "embed"}

    async def begin(self, context: BrowserContext) -> None:
        """Start before the worker is given the context."""
        context.on("console", self._hear)
        context.on("weberror", self._fail)
        async with _patient():
            await context.tracing.start(screenshots=True, snapshots=True)

    async def end(self, context: BrowserContext) -> None:
        """Keep what is there, before the context is closed."""
        if context.pages:
            async with _patient():
                await _picture(context.pages[-1], self.folder / FINAL)
        async with _patient():
            await context.tracing.stop(path=self.folder / TRACE)
        with contextlib.suppress(OSError):
            (self.folder / CONSOLE).write_text(
                json.dumps(self._console, ensure_ascii=False, indent=1), encoding="utf-8"
            )

    async def draw_recorded(self, browser: Browser) -> None:
        """Draw the page of the recorded condition, in a context that runs and fetches nothing."""
        if self._recorded is None:
            return
        async with _patient():
            context = await browser.new_context(
                java_script_enabled=False, viewport={"width": 1920, "height": 1080}
            )
            try:
                await context.route("**/*", lambda route: route.abort())
                page = await context.new_page()
                await page.set_content(self._recorded)
                await _picture(page, self.folder / RECORDED)
            finally:
                await context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if not is_mark(message):
            self._note(message.type, message.text)

    def _fail(self, error: WebError) -> None:
        self._note("exception", str(error.error))

    def _note(self, kind: str, text: str) -> None:
        if len(self._console) < _LINES:
            self._console.append({"type": kind, "text": text})


async def _picture(page: Page, path: Path) -> None:
    await page.screenshot(path=path, full_page=True, timeout=1000 * _PATIENCE_S / 2)


@contextlib.asynccontextmanager
async def _patient() -> AsyncIterator[None]:
    """Give up silently after a while, or when browser, driver or disk fail."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_PATIENCE_S):
            yield
