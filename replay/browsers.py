"""Lends sealed browsers and replaces them: after so many uses, and when one has died.

Each browser has a driver process of its own, so the death of either costs the submissions in hand
and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from playwright.async_api import Browser, Playwright, async_playwright

from replay.browser import launch_browser

USES = 200
"""Contexts a browser is used for; then a fresh one keeps its memory from growing all week."""
_CLOSE_S = 10.0


@dataclass(eq=False, slots=True, kw_only=True)
class _Generation:
    """One driver with its browser."""

    playwright: Playwright
    browser: Browser
    users: int = 0
    uses: int = 0


class Browsers:
    """One browser at a time, shared by all who lease; an async context manager.

    args: switches, those of the seal among them. proxy: where the browser's own requests must go.
    """

    def __init__(
        self, path: Path, *, args: Sequence[str], proxy: str | None, uses: int = USES
    ) -> None:
        self._path = path
        self._args = args
        self._proxy = proxy
        self._uses = uses
        self._current: _Generation | None = None
        self._open: set[_Generation] = set()
        self._launching = asyncio.Lock()

    async def __aenter__(self) -> Browsers:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._current = None
        for generation in tuple(self._open):
            await self._close(generation)

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncIterator[Browser]:
        """Yield a browser that was alive a moment ago; BrowserError if none starts."""
        async with self._launching:
            generation = await self._fit()
            generation.users += 1
            generation.uses += 1
        try:
            yield generation.browser
        finally:
            generation.users -= 1
            if generation is not self._current and generation in self._open:
                await self._close_unused(generation)

    def retire(self, browser: Browser) -> None:
        """Lend this browser to nobody any more, because it has died."""
        if self._current is not None and self._current.browser is browser:
            self._current = None

    async def _fit(self) -> _Generation:
        current = self._current
        if current is not None:
            if current.browser.is_connected() and current.uses < self._uses:
                return current
            self._current = None
            await self._close_unused(current)
        self._current = await self._launch()
        return self._current

    async def _launch(self) -> _Generation:
        playwright = await async_playwright().start()
        try:
            browser = await launch_browser(
                playwright, self._path, args=self._args, proxy=self._proxy
            )
        except BaseException:
            await playwright.stop()
            raise
        generation = _Generation(playwright=playwright, browser=browser)
        self._open.add(generation)
        return generation

    async def _close_unused(self, generation: _Generation) -> None:
        if not generation.users:
            await self._close(generation)

    async def _close(self, generation: _Generation) -> None:
        self._open.discard(generation)
        # Whatever fails here, the driver kills its browser when it is stopped.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(generation.browser.close(), _CLOSE_S)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(generation.playwright.stop(), _CLOSE_S)
