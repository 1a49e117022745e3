"""Prints the report's own page to PDF, in a Chromium that can reach nothing.

The only module here that starts a program. The page has no script and asks for nothing; that it
could not is made sure of by the browser: offline, without scripts, and with every request refused.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route, async_playwright

from harness.errors import BrowserError
from replay.browser import find_browser, launch_browser

_LIMIT_S = 120.0
_NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody runs: what would not go through the page's guard ends there."""
_DATES = re.compile(rb"(/(?:CreationDate|ModDate) \()D:\d{14}[+-]\d\d'\d\d'(\))")
_FOOTER = (
    '<div style="width:100%;margin:0 14mm;font:7pt sans-serif;color:#555;text-align:right">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)


def to_pdf(page: str, *, created: datetime) -> bytes:
    """The HTML `page` as an A4 PDF with outline, tags and page numbers. Not for a running loop.

    created: the moment that the report speaks of; the file says that it was made then, so that it
    does not differ each time it is printed.
    Raises BrowserError, which names the mend, where there is no Chromium or it cannot print.
    """
    path = find_browser()
    try:
        printed = asyncio.run(asyncio.wait_for(_printed(page, path), _LIMIT_S))
    except TimeoutError as error:
        raise BrowserError(
            f"{path} did not print the report within {_LIMIT_S:.0f} s. Print report.html by hand, "
            "or try again on a machine that is less busy."
        ) from error
    except PlaywrightError as error:
        reason = error.message.strip().partition("\n")[0]
        raise BrowserError(
            f"{path} could not print the report ({reason}). Print report.html by hand, or point "
            "SHADOW_BROWSER at another Chromium."
        ) from error
    return _dated(printed, created)


async def _printed(page: str, path: Path) -> bytes:
    async with async_playwright() as playwright:
        browser = await launch_browser(playwright, path, proxy=_NOWHERE)
        try:
            context = await browser.new_context(
                offline=True, java_script_enabled=False, service_workers="block"
            )
            await context.route("**/*", _refuse)
            opened = await context.new_page()
            await opened.emulate_media(media="print", color_scheme="light")
            await opened.set_content(page, wait_until="load")
            return await opened.pdf(
                format="A4",
                print_background=True,
                prefer_css_page_size=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=_FOOTER,
                tagged=True,
                outline=True,
            )
        finally:
            await browser.close()


async def _refuse(route: Route) -> None:
    await route.abort()


def _dated(printed: bytes, created: datetime) -> bytes:
    """The same PDF with another date of making, of the same length: its offsets stay right."""
    date = created.astimezone(UTC).strftime("D:%Y%m%d%H%M%S+00'00'").encode()
    return _DATES.sub(lambda found: found[1] + date + found[2], printed)
