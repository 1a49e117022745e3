"""The report printed by real Chromium: sealed, dated by the journal, short, nothing cut."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.assessment import Assessment
from harness.errors import BrowserError
from harness.report.html import to_html
from harness.report.pdf import to_pdf
from harness.report.write import PDF, render, write_report
from replay.browser import find_browser
from tests.support.assessments import AS_OF, make_assessment, make_empty_assessment
from tests.support.decided import make_decided_assessment

PAPER = {"width": 688, "height": 1017}
"""A4 without its margins, in CSS pixels."""
LARGEST = 12
WEEKS = (make_assessment, make_empty_assessment, make_decided_assessment)


def pages(printed: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", printed))


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """Somebody to call, and what was asked of them."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=find_browser())
        yield started
        started.close()


@pytest.mark.parametrize("make", WEEKS)
def test_a_report_is_a_short_pdf_dated_by_the_journal(make) -> None:  # type: ignore[no-untyped-def]
    week: Assessment = make()
    printed = render(week, PDF)
    assert printed.startswith(b"%PDF-")
    assert 1 <= pages(printed) <= LARGEST
    assert set(re.findall(rb"/(?:CreationDate|ModDate) \((.*?)\)", printed)) == {
        b"D:20261123083000+00'00'"
    }
    assert week.decision.value.encode() in re.findall(rb"/Title \((.*?)\)", printed)[0]


def test_the_same_report_is_printed_to_the_same_bytes() -> None:
    page = to_html(make_assessment())
    assert to_pdf(page, created=AS_OF) == to_pdf(page, created=AS_OF)


def test_nothing_leaves_while_it_is_printed(
    outside: tuple[str, list[str]], browser: Browser
) -> None:
    url, asked = outside
    page = (
        f'<!doctype html><title>x</title><link rel="stylesheet" href="{url}/css">'
        f'<link rel="prefetch" href="{url}/prefetch"><img src="{url}/img">'
        f'<iframe src="{url}/frame"></iframe><object data="{url}/object"></object>'
        f"<style>@import url({url}/import); body {{ background: url({url}/back) }}</style>"
        f'<script>fetch("{url}/fetch")</script><p>text</p>'
    )
    unsealed = browser.new_page()
    unsealed.set_content(page, wait_until="load")
    unsealed.close()
    assert {"/css", "/img", "/frame", "/fetch"} <= set(asked), "the page does try"
    asked.clear()
    # The browser of this test runs a loop in this thread.
    with ThreadPoolExecutor(1) as pool:
        printed = pool.submit(to_pdf, page, created=AS_OF).result()
    assert pages(printed) == 1
    assert asked == []


def printed_view(browser: Browser, week: Assessment) -> Page:
    page = browser.new_page(viewport={"width": PAPER["width"], "height": PAPER["height"]})
    page.emulate_media(media="print")
    page.set_content(to_html(week))
    return page


@pytest.mark.parametrize("make", WEEKS)
def test_no_chart_is_cut_and_nothing_runs_over_the_edge(browser: Browser, make) -> None:  # type: ignore[no-untyped-def]
    page = printed_view(browser, make())
    spilling = page.evaluate(
        """[...document.querySelectorAll('body *')].filter(
            part => part.getBoundingClientRect().right > innerWidth + 1
        ).map(part => part.outerHTML.slice(0, 80))"""
    )
    assert spilling == []
    for figure in page.locator("figure").all():
        box = figure.bounding_box()
        assert box is not None
        assert box["height"] < PAPER["height"] / 2
        assert figure.evaluate("part => getComputedStyle(part).breakInside") == "avoid"
        chart = figure.locator("svg.chart:visible").bounding_box()
        assert chart is not None
        assert chart["width"] <= box["width"] + 1
    page.close()


def test_without_a_chromium_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHADOW_BROWSER", str(tmp_path / "none"))
    with pytest.raises(BrowserError) as caught:
        write_report(make_assessment(), tmp_path / "out", ("json", PDF))
    assert "SHADOW_BROWSER" in str(caught.value)
    assert "Install" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
