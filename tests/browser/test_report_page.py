"""The report in real Chromium: one file, no request, everything that decides on one screen.

axe-core judges whether it can be read by everybody; its script is injected by the test alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from harness.assessment import Assessment, GateResult
from harness.model import GateStatus
from harness.report.html import to_html
from replay.browser import find_browser
from tests.support.assessments import (
    make_assessment,
    make_difference,
    make_empty_assessment,
    make_gate,
)
from tests.support.assessments_whole import make_whole_assessment

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL_PHONE: ViewportSize = {"width": 320, "height": 640}
TABLET: ViewportSize = {"width": 768, "height": 1024}
PAPER: ViewportSize = {"width": 688, "height": 1017}
"""A4 within its margins, in CSS pixels."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=find_browser())
        yield started
        started.close()


@dataclass
class Opened:
    """A page and what it said and asked for while it was opened."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def open_report(
    browser: Browser,
    assessment: Assessment,
    folder: Path,
    *,
    viewport: ViewportSize = DESKTOP,
    scheme: str = "light",
    bypass_csp: bool = False,
) -> Opened:
    file = folder / "report.html"
    file.write_text(to_html(assessment), encoding="utf-8")
    page = browser.new_page(viewport=viewport, bypass_csp=bypass_csp)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened = Opened(page, file.as_uri())
    page.on("console", lambda message: opened.said.append(message.text))
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    page.goto(opened.url, wait_until="load")
    return opened


def nine_gates() -> Assessment:
    """The shipped set of gates has nine; here most of them fail and say so in the reason."""
    week = make_assessment(
        reason="6 required gates fail: Every test job was processed, No errors in Prefect, Same "
        "outcome as the old poller, P95 end-to-end latency, Zero data loss and No message given "
        "up to the dead-letter queue."
    )
    extra = make_gate(
        "shadow.sandbox_escapes",
        title="No replay left the sandbox",
        status=GateStatus.PASS,
        value_text="0 attempts",
        threshold_text="none",
        interval=None,
        evidence_text="0 attempts to leave the sandbox",
    )
    shadow = week.phases[1]
    return replace(week, phases=(week.phases[0], replace(shadow, gates=(*shadow.gates, extra))))


def nine_owned_gates() -> Assessment:
    """The same with owners, and two that say what to do."""
    week = nine_gates()

    def owned(gate: GateResult) -> GateResult:
        todo = "Stop the ramp, re-queue the lost jobs and mend the leak before going on."
        return replace(gate, owner="submissions", when_red=todo)

    return replace(
        week,
        phases=tuple(
            replace(phase, gates=tuple(owned(gate) for gate in phase.gates))
            for phase in week.phases
        ),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", [make_assessment, make_whole_assessment, make_empty_assessment])
def test_it_asks_for_nothing_and_says_nothing(
    browser: Browser, tmp_path: Path, scheme: str, make: Callable[[], Assessment]
) -> None:
    opened = open_report(browser, make(), tmp_path, scheme=scheme)
    assert opened.asked == [opened.url]
    assert opened.said == []
    opened.page.close()


@pytest.mark.parametrize("make", [make_assessment, nine_gates, nine_owned_gates])
def test_decision_and_every_gate_are_seen_without_scrolling(
    browser: Browser, tmp_path: Path, make: Callable[[], Assessment]
) -> None:
    assessment = make()
    page = open_report(browser, assessment, tmp_path).page
    for name in ("#decision", "#reason"):
        assert_inside(page, name)
    for phase in assessment.phases:
        for gate in phase.gates:
            row = f'[data-gate="{gate.gate}"]'
            assert_inside(page, row)
            text = page.locator(row).inner_text()
            for part in (gate.title, gate.value_text, gate.threshold_text, gate.evidence_text):
                assert part in text
            drawn = page.locator(f"{row} svg.bar")
            assert drawn.count() == (gate.interval is not None)
            if gate.interval is not None:
                assert_inside(page, f"{row} svg.bar")
                assert f"threshold {100 * (gate.threshold or 0):.1f} %" in (
                    drawn.get_attribute("aria-label") or ""
                )
    assert page.evaluate("scrollY") == 0
    page.close()


def test_words_in_the_gate_table_do_not_run_into_each_other(
    browser: Browser, tmp_path: Path
) -> None:
    page = open_report(browser, nine_owned_gates(), tmp_path).page
    spilling = page.evaluate(
        """[...document.querySelectorAll('.gates tr.gate > *')].filter(cell => {
            const edge = cell.getBoundingClientRect().right;
            return [...cell.querySelectorAll('*')].some(
                part => part.getBoundingClientRect().right > edge + 0.5);
        }).map(cell => cell.innerText)"""
    )
    assert spilling == []
    page.close()


@pytest.mark.parametrize("viewport", [DESKTOP, TABLET, PHONE, SMALL_PHONE])
def test_no_line_of_a_gate_lies_on_another(
    browser: Browser, tmp_path: Path, viewport: ViewportSize
) -> None:
    page = open_report(browser, nine_owned_gates(), tmp_path, viewport=viewport).page
    covered = page.evaluate(
        """[...document.querySelectorAll('.gates tr.gate')].filter(row => {
            const below = row.nextElementSibling;
            if (!below) return false;
            const top = below.getBoundingClientRect().top;
            return [...row.children].some(cell => cell.getBoundingClientRect().bottom > top + 0.5);
        }).map(row => row.innerText)"""
    )
    assert covered == []
    page.close()


@pytest.mark.parametrize("viewport", [DESKTOP, TABLET, PHONE, SMALL_PHONE])
def test_the_page_never_scrolls_sideways(
    browser: Browser, tmp_path: Path, viewport: ViewportSize
) -> None:
    long = make_difference(
        directory=f"{'very-long-name' * 8}.example",
        explanation="x" * 400,
        control_value="y" * 300,
        candidate_value="z" * 300,
    )
    week = make_whole_assessment()
    page = open_report(
        browser, replace(week, differences=(*week.differences, long)), tmp_path, viewport=viewport
    ).page
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    # What is wider than the screen must scroll inside a region that a keyboard can reach.
    outside = page.evaluate(
        """[...document.querySelectorAll('main *, header *')].filter(
            part => part.getBoundingClientRect().right > innerWidth + 0.5
                && !part.closest('.scroll[tabindex="0"]') && !part.closest('.hidden, .skip')
        ).map(part => part.outerHTML.slice(0, 80))"""
    )
    assert outside == []
    page.close()


def test_hostile_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    hostile = "<script>document.title='taken'</script><img src=x onerror=document.title='taken'>"
    opened = open_report(
        browser,
        make_assessment(
            reason=hostile, differences=(make_difference(explanation=hostile, directory=hostile),)
        ),
        tmp_path,
    )
    assert opened.page.locator("#reason").inner_text() == hostile
    assert opened.page.title().startswith("NO-GO")
    assert opened.page.locator("script, img").count() == 0
    assert opened.asked == [opened.url]
    opened.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """WCAG AA: 4.5 to 1 for text, both schemes."""
    page = open_report(browser, make_whole_assessment(), tmp_path, scheme=scheme).page
    unfold(page)
    weak = page.evaluate(
        """() => {
        const parse = c => { const m = c.match(/[\\d.]+/g).map(Number);
            return m.length > 3 && m[3] === 0 ? null : m.slice(0, 3); };
        const light = c => { const [r, g, b] = c.map(v => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const ground = e => { for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor); if (c) return c; }
            return [255, 255, 255]; };
        const weak = [];
        for (const e of document.querySelectorAll('body *')) {
            if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
            const svg = e instanceof SVGElement;
            if (svg && e.tagName !== 'text') continue;
            const style = getComputedStyle(e);
            const a = light(parse(svg ? style.fill : style.color)), b = light(ground(e));
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) weak.push([e.textContent.trim().slice(0, 40), ratio]);
        }
        return weak; }"""
    )
    assert weak == []
    page.close()


def test_landmarks_headings_and_table_headers_are_there(browser: Browser, tmp_path: Path) -> None:
    page = open_report(browser, make_whole_assessment(), tmp_path).page
    assert page.locator("h1").count() == page.locator("main").count() == 1
    assert page.locator("header, nav, footer").count() == 3
    assert page.locator("html[lang=en]").count() == 1
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("table:not(:has(th))").count() == 0
    assert page.locator("svg:not([aria-hidden]):not([role=img])").count() == 0
    broken = page.evaluate(
        """[...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href'))
            .filter(href => !document.getElementById(href.slice(1)))"""
    )
    assert broken == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("make", [make_whole_assessment, make_empty_assessment])
def test_axe_finds_nothing_serious(
    browser: Browser,
    tmp_path: Path,
    scheme: str,
    viewport: ViewportSize,
    make: Callable[[], Assessment],
) -> None:
    page = open_report(
        browser, make(), tmp_path, scheme=scheme, viewport=viewport, bypass_csp=True
    ).page
    unfold(page)
    found = Axe().run(page).response
    grave = [
        (violation["id"], [node["target"] for node in violation["nodes"]][:3])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert grave == []
    assert len(found["passes"]) > 20
    page.close()


def test_a_keyboard_reaches_every_fold_and_every_region_that_scrolls(
    browser: Browser, tmp_path: Path
) -> None:
    page = open_report(browser, make_whole_assessment(), tmp_path).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    stops = page.evaluate(
        """[...document.querySelectorAll('summary, .scroll')].filter(e => e.tabIndex < 0).length"""
    )
    assert stops == 0
    fold = page.locator("details.later summary")
    fold.focus()
    page.keyboard.press("Enter")
    assert page.locator('[data-gate="cutover.rollback"]').is_visible()
    page.close()


def test_a_link_to_a_folded_difference_unfolds_it(browser: Browser, tmp_path: Path) -> None:
    page = open_report(browser, make_whole_assessment(), tmp_path).page
    link = page.locator('.mend a[href^="#d-"]').first
    target = page.locator(link.get_attribute("href") or "")
    assert not target.is_visible()
    link.click()
    target.wait_for(state="visible")
    page.close()


def test_one_of_the_two_charts_of_agreement_is_seen(browser: Browser, tmp_path: Path) -> None:
    for viewport, seen in ((DESKTOP, "agreement"), (PHONE, "agreement-narrow")):
        page = open_report(browser, make_whole_assessment(), tmp_path, viewport=viewport).page
        for name in ("agreement", "agreement-narrow"):
            chart = page.locator(f'svg.chart[aria-labelledby^="{name}-title"]')
            assert chart.is_visible() == (name == seen)
        page.close()


def test_paper_holds_the_week_on_twelve_pages_and_cuts_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    many = tuple(make_difference(number=number) for number in range(1, 190))
    page = open_report(
        browser, replace(make_whole_assessment(), differences=many), tmp_path, viewport=PAPER
    ).page
    page.emulate_media(media="print")
    cut = page.evaluate(
        """[...document.querySelectorAll('body *')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > innerWidth + 1;
        }).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    torn = page.evaluate(
        """[...document.querySelectorAll('figure, tr, .list > li, .mend > li')]
            .filter(e => getComputedStyle(e).breakInside !== 'avoid').length"""
    )
    assert torn == 0
    for chart in page.locator("figure svg.chart").all():
        box = chart.bounding_box()
        assert box is None or box["height"] < PAPER["height"] / 2
    pdf = page.pdf(format="A4", print_background=True)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12
    page.close()


def unfold(page: Page) -> None:
    """What is folded is a part of the page too."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")


def assert_inside(page: Page, selector: str) -> None:
    """The element is wholly inside the visible part of the page."""
    box = page.locator(selector).bounding_box()
    assert box is not None, selector
    assert box["width"] > 0
    assert box["height"] > 0
    size = page.viewport_size
    assert size is not None
    assert box["x"] >= 0, selector
    assert box["y"] >= 0, selector
    assert box["x"] + box["width"] <= size["width"], selector
    assert box["y"] + box["height"] <= size["height"], selector
