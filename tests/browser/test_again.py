"""The second pass: what differs is carried out once more, with evidence kept."""

from __future__ import annotations

import json
import stat
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from harness.assess.build import FLAKY, assess
from harness.assess.criteria import load_criteria
from harness.cli.main import run as shadow
from harness.model import Claim, Order, Outcome, Verdict
from harness.settings import Settings
from replay.evidence.capture import CONSOLE, FINAL, RECORDED, REQUESTS, TRACE
from replay.evidence.page import render_page
from replay.evidence.store import INDEX, EvidenceStore
from replay.run import ReplayConfig, replay
from replay.sandbox.conditions import Condition
from replay.sandbox.sites import Hit, Reply, Site, make_site
from replay.versus import ChangeKind, compare_runs
from tests.support.events import JOB
from tests.support.replays import (
    QUICK,
    accepted,
    every_condition,
    make_journal,
    payloads_of,
)


@dataclass
class ByTurns:
    """A site that refuses the first form it gets and accepts every later one."""

    inner: Site
    posts: Counter[str]

    def answer(self, hit: Hit) -> Reply | None:
        if hit.method == "POST":
            self.posts[hit.host] += 1
            if self.posts[hit.host] == 1:
                return Reply(body="<h1>Come back later</h1>")
        return self.inner.answer(hit)


def flaky_at(*hosts: str) -> tuple[Counter[str], object]:
    """Sites as recorded, but for these, which do not answer the same twice."""
    posts: Counter[str] = Counter()

    def site_for(order: Order, condition: Condition) -> object:
        site = make_site(order, condition)
        return ByTurns(site, posts) if order.directory in hosts else site

    return posts, site_for


class Pessimist:
    """A worker that types nothing, writes to the console and claims that all failed."""

    name = "pessimist"

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        page = await context.new_page()
        await page.goto(f"https://{order.directory}/submit")
        await page.evaluate("console.warn('typed nothing <b>')")
        return Claim(status=Outcome.FAILED, duration_ms=1.0, error_text="gave up", steps_done=1)


def test_what_does_not_differ_the_second_time_is_flaky_and_no_mismatch(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(3))
    _, site_for = flaky_at("site-1.example")
    config = ReplayConfig(run="r", timeouts=QUICK, evidence=5)
    state = replay(journal, config, site_for=site_for)  # type: ignore[arg-type]
    assert (state.done, state.differing, state.again, state.flaky) == (3, 1, 1, 1)
    assert state.finished
    (again,) = payloads_of(journal, "replay.again")
    assert again["flaky"] is True
    assert (again["first"]["claimed"], again["claimed"]["status"]) == ("failed", "submitted")

    with journal.reader() as reader:
        whole = assess(reader, load_criteria(Settings()))
    (counts,) = [counts for counts in whole.pairs if counts.mode == "r"]
    verdicts = dict(counts.verdicts)
    assert verdicts[Verdict.MISMATCH] == 0
    assert (verdicts[Verdict.AGREE], verdicts[Verdict.EXCLUDED]) == (2, 1)
    assert sum(verdicts.values()) == counts.pairs == 3
    assert counts.excluded == ((FLAKY, 1),)
    assert "flaky_replay" in {finding.id for finding in whole.findings}


def test_what_differs_again_is_a_mismatch_with_its_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = make_journal(tmp_path, *accepted(2))
    config = ReplayConfig(run="r", timeouts=QUICK, evidence=1, jobs=(JOB,))
    state = replay(journal, config, worker=Pessimist())
    assert (state.differing, state.again, state.flaky, state.evidence) == (2, 1, 0, 1)
    with journal.reader() as reader:
        whole = assess(reader, load_criteria(Settings()))
    (counts,) = [counts for counts in whole.pairs if counts.mode == "r"]
    assert dict(counts.verdicts)[Verdict.MISMATCH] == 2

    (kept,) = EvidenceStore(journal.path).kept()
    assert {path.name for path in kept.files} == {
        CONSOLE, FINAL, INDEX, RECORDED, REQUESTS, TRACE,
    }  # fmt: skip
    assert kept.folder == tmp_path / "week.duckdb.evidence" / "r" / JOB / "site-0.example"
    for folder in (kept.folder, *list(kept.folder.parents)[:3]):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert zipfile.ZipFile(kept.folder / TRACE).testzip() is None
    log = json.loads((kept.folder / REQUESTS).read_text(encoding="utf-8"))["log"]
    assert [entry["request"]["url"] for entry in log["entries"]] == [
        "https://site-0.example/submit"
    ]
    console = json.loads((kept.folder / CONSOLE).read_text(encoding="utf-8"))
    assert console == [{"type": "warning", "text": "typed nothing <b>"}]

    html = render_page(kept)
    assert "typed nothing &lt;b&gt;" in html
    assert html.count("data:image/png;base64,") == 2
    assert "Nobody recorded the page that the control saw" in html
    assert "gave up" in html

    where = ["--journal", str(journal.path)]
    assert shadow(["evidence", f"{JOB}/site-0.example", *where, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(kept.folder)
    (difference,) = [
        one.id
        for one in whole.differences
        if (one.directory, one.field) == ("site-0.example", "outcome")
    ]
    assert shadow(["evidence", difference, *where, "--page"]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page.parent == kept.folder
    assert page.read_text(encoding="utf-8") == html
    assert shadow(["evidence", f"{JOB}/site-1.example", *where]) == 1
    assert "--evidence" in capsys.readouterr().err

    # A finished run looks again at more of what differs when it is asked to.
    more = replay(journal, ReplayConfig(run="r", evidence=9), worker=Pessimist())
    assert (more.again, more.evidence, more.finished) == (2, 1, True)
    assert len(payloads_of(journal, "replay.finished")) == 1


def test_every_condition_has_its_page_and_the_oldest_evidence_goes_first(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *every_condition())

    class Optimist:
        name = "optimist"

        async def submit(self, order: Order, context: BrowserContext) -> Claim:
            return Claim(status=Outcome.SUBMITTED, duration_ms=1.0)

    config = ReplayConfig(run="r", timeouts=QUICK, evidence=9, evidence_mb=0.03, concurrency=1)
    state = replay(journal, config, worker=Optimist())
    # It typed nothing, so even what the control submitted was never received.
    assert (state.differing, state.again, state.evidence) == (5, 5, 5)
    kept = list(EvidenceStore(journal.path).kept())
    assert state.evidence_dropped == 5 - len(kept) > 0
    assert sum(path.stat().st_size for one in kept for path in one.files) <= 30_000


def test_two_versions_of_a_worker_are_compared_on_the_same_selection(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(3))
    assert replay(journal, ReplayConfig(run="old", seed=4, limit=2), worker=Pessimist()).finished
    state = replay(journal, ReplayConfig(run="new", like="old", timeouts=QUICK))
    assert (state.selected, state.agreeing) == (2, 2)
    with journal.reader() as reader:
        found = compare_runs(reader, "old", "new")
        assert compare_runs(reader, "old", "old").changes == ()
    assert (found.compared, found.unsteady, found.only_one) == (2, 0, 0)
    assert {change.kind for change in found.changes} == {ChangeKind.FIXED}
    assert found.changes[0].before == "failed, 0 stored of 0 received: gave up"
    assert found.changes[0].after == "submitted, 1 stored of 1 received"
