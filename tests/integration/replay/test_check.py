"""The conformance kit runs real workers and sees what they do."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from harness.cli.main import run
from harness.model import Claim, Order, Outcome
from replay.browser import find_browser
from replay.check.cases import CASES
from replay.check.model import Group, Mark, Report
from replay.check.run import check
from replay.check.small_sites import SLOW_S
from replay.worker.choose import make_worker
from replay.worker.contract import Worker
from replay.worker.playwright_worker import PlaywrightWorker
from tests.support.replays import QUICK

WORKERS = Path(__file__).parents[2] / "workers"
BY_NAME = {case.name: case for case in CASES}


def try_worker(worker: Worker, *names: str) -> Report:
    cases = [BY_NAME[name] for name in names]
    return check(worker, cases, browser=find_browser(), timeouts=QUICK)


def marks(report: Report) -> dict[str | None, set[tuple[Group, Mark]]]:
    """Of each case; those of the whole run under None."""
    found: dict[str | None, set[tuple[Group, Mark]]] = {
        result.case.name: {(finding.group, finding.mark) for finding in result.findings}
        for result in report.results
    }
    found[None] = {(finding.group, finding.mark) for finding in report.overall}
    return found


def test_the_built_in_worker_has_the_marks_of_the_judge_that_it_copies() -> None:
    names = (
        "accepts", "values", "late_field", "success_in_css", "queued_for_review", "wizard",
        "captcha_wall", "page_crash", "never_idle_after_success", "slow_first_byte",
    )  # fmt: skip
    report = try_worker(PlaywrightWorker(QUICK), *names)
    found = marks(report)
    assert found["accepts"] == {(Group.FALSE_FAILURE, Mark.GOOD)}
    assert found["values"] == {(Group.VALUES, Mark.GOOD)}
    assert found["late_field"] == {(Group.WAITS, Mark.GOOD)}
    assert found["wizard"] == {(Group.FALSE_FAILURE, Mark.GOOD)}
    assert found["success_in_css"] == {(Group.FALSE_SUCCESS, Mark.BAD)}
    assert found["queued_for_review"] == {(Group.FALSE_FAILURE, Mark.BAD)}
    assert found["never_idle_after_success"] == {(Group.FALSE_FAILURE, Mark.BAD)}
    assert found["captcha_wall"] == {(Group.CAPTCHA, Mark.GOOD)}
    by_name = {result.case.name: result.seen for result in report.results}
    assert found["slow_first_byte"] == {(Group.WAITS, Mark.GOOD)}
    assert by_name["slow_first_byte"].wall_s > SLOW_S
    assert "crash" in (by_name["page_crash"].claim.error_text or "").lower()
    assert (Group.CLEANLINESS, Mark.BAD) not in found[None]
    assert all(0 < seen.cpu_s < 20 for seen in by_name.values())


class Hasty:
    """A worker that sends twice, cuts values short, leaves files and says submitted."""

    name = "hasty"

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        shot = Path(tempfile.gettempdir()) / f"shot-{order.directory}.png"
        shot.write_bytes(b"x")
        page = await context.new_page()
        url = order.plan[0].url or ""
        await page.goto(url)
        values = {
            (step.selector or "").split("'")[1]: (step.value or "")[:20]
            for step in order.plan
            if step.action == "fill"
        }
        # As who clicks twice: both are on their way before either is answered.
        await page.evaluate(
            """values => Promise.all([1, 2].map(() =>
                fetch(location, {method: 'POST', body: new URLSearchParams(values)})))""",
            values,
        )
        await page.evaluate("fetch('https://outside.example/').catch(() => {})")
        return Claim(status=Outcome.SUBMITTED, duration_ms=1.0)


def test_a_hasty_worker_is_found_out() -> None:
    report = try_worker(Hasty(), "slow_answer", "values", "captcha_wall")
    found = marks(report)
    assert (Group.DOUBLE_SUBMIT, Mark.BAD) in found["slow_answer"]
    assert (Group.VALUES, Mark.BAD) in found["values"]
    assert (Group.FALSE_SUCCESS, Mark.BAD) in found["captcha_wall"]
    assert (Group.CLEANLINESS, Mark.BAD) in found["slow_answer"]
    assert report.escapes >= 3
    (files,) = [f for f in report.overall if f.group is Group.CLEANLINESS and f.mark is Mark.BAD]
    assert f"shot-{BY_NAME['slow_answer'].order.directory}.png" in files.evidence
    assert not list(Path(tempfile.gettempdir()).glob("shot-*.png"))


class Starting:
    """A worker that starts a process and forgets it, and dies."""

    name = "starting"

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        # Not asyncio's: what that forgets warns of it in whatever test comes later.
        os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "30")
        raise RuntimeError("out of ideas")


def test_a_process_that_is_forgotten_is_named_and_a_death_is_bad() -> None:
    report = try_worker(Starting(), "accepts")
    (left,) = [f for f in report.overall if "process" in f.sentence]
    assert left.mark is Mark.BAD
    assert "sleep" in left.evidence
    assert (Group.FALSE_FAILURE, Mark.BAD) in marks(report)["accepts"]


def test_a_program_of_its_own_is_tried_like_any_other_and_its_files_are_found() -> None:
    spec = "python:listing_worker.submission_runner:run_plan"
    worker = make_worker(spec, folder=WORKERS / "company", fast_sleeps=True)
    assert worker is not None
    cases = [BY_NAME["accepts"], BY_NAME["page_crash"]]
    report = check(worker, cases, browser=find_browser(), timeouts=QUICK)
    assert marks(report)["accepts"] == {(Group.FALSE_FAILURE, Mark.GOOD)}
    assert marks(report)["page_crash"] == {(Group.FALSE_SUCCESS, Mark.GOOD)}
    crashed = report.results[1].seen
    assert (crashed.requests[-1].address, crashed.stuck) == ("/submit?crash=1", False)
    files, *_ = [f for f in report.overall if "file" in f.sentence]
    assert files.mark is Mark.BAD
    assert "screenshot_check-01_" in files.evidence
    assert (report.worker, report.facts["fast_sleeps"]) == (spec, True)


def test_the_command_says_what_is_bad_by_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "check", "--case", "accepts"]) == 0
    told = capsys.readouterr()
    assert "playwright: 1 site, " in told.out
    assert told.err == "accepts: Stores the listing and says thank you …\n"
    assert run(["worker", "check", "--case", "already_submitted", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    (case,) = data["cases"]
    assert (data["bad"], case["claim"]["status"]) == (1, "submitted")
    assert [request["method"] for request in case["requests"]] == ["GET", "POST"]
    assert run(["worker", "check", "--case", "acepts"]) == 2
    assert "did you mean accepts?" in capsys.readouterr().err
    assert run(["worker", "check", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(CASES)
