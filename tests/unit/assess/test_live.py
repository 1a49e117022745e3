"""What a look makes of the increment is what it would make of the whole journal."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.assess.live import recent
from harness.assess.live.state import LiveComparison
from harness.assess.moment import overstep
from harness.assessment import Finding
from harness.compare.clusters import find_clusters
from harness.compare.comparison import Comparison, rule_effects
from harness.journal.findings import detect
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.deciding import mark
from tests.support.events import at, make_control, make_history, make_job
from tests.support.journals import criteria, make_journal, make_watermarks
from tests.support.reference_weeks import random_week
from tests.support.rules import make_rule, make_rules
from tests.support.schedules import base_seed
from tests.support.shapes import LIVE, MIGRATED, make_look

BASE = base_seed()
DEADLINE_S = 600.0


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty journal to copy, which is quicker than to make one."""
    return make_journal(tmp_path_factory.mktemp("empty")).path


def _told(findings: Sequence[Finding]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    return {
        (finding.id, finding.mode): sorted(
            (row.job_id or "", row.directory or "", row.seq or 0, row.detail)
            for row in finding.evidence
        )
        for finding in findings
    }


def _rows(comparison: Comparison) -> dict[str, list[str]]:
    frames = {"pairs": comparison.pairs, "cells": comparison.cells,
              "set_apart": comparison.set_apart}  # fmt: skip
    return {name: sorted(map(repr, frame.iter_rows())) for name, frame in frames.items()}


def assert_whole(live: LiveComparison, journal: Journal, judged: Criteria, *, told: str) -> None:
    with journal.reader() as reader:
        compared = compare_journal(reader, judged)
        effects = rule_effects(compared.comparison)
        findings = detect(
            reader, until=compared.until, deadline_s=judged.deadline_s,
            time_scale=judged.time_scale,
            overstepping_rules=[
                overstep(rule.name, rule.hidden_pairs, rule.expects_at_most)
                for rule in effects if rule.expects_at_most is not None and rule.hides_too_much
            ],
        )  # fmt: skip
    whole = compared.comparison
    assert _told(live.findings()) == _told(findings), told
    assert _rows(live.comparison()) == _rows(whole), told
    assert live.verdicts == Counter(whole.pairs.select("mode", "verdict").iter_rows()), told
    found = find_clusters(whole)
    assert live.clusters() == found.clusters, told
    assert set(live.cluster_members().iter_rows()) == set(found.members.iter_rows()), told


def _batches(seed: int) -> Iterator[tuple[tuple[EventDraft, ...], datetime]]:
    """A random week in random batches, some without events, each with how far it is complete."""
    chance = random.Random(seed)
    week = random_week(seed)
    events, until = list(week.events), at(0)
    while events or until < at(9000):
        count = chance.choice((0, 0, 1, 3, 10, 40)) if events else 0
        until += timedelta(seconds=chance.choice((0, 1, 30, 100, 100, 700, 2500)))
        batch, events = tuple(events[:count]), events[count:]
        # A watermark counts from the next event on, so time alone passes with an event of no job.
        yield batch or (_sweep(until),), until


def _sweep(until: datetime) -> EventDraft:
    return EventDraft(
        source="recorder", kind="record.sweep", key=f"record.sweep:{until.isoformat()}",
        occurred_at=until, job_id=None, directory=None, payload={},
    )  # fmt: skip


def run(seed: int, empty: Path, path: Path, **changes: Any) -> Counter[str]:
    seen: Counter[str] = Counter()
    shutil.copy(empty, path)
    journal = Journal.open(path)
    judged = criteria(deadline_s=DEADLINE_S, time_scale=random_week(seed).scale, **changes)
    live = LiveComparison(judged)
    for number, (events, until) in enumerate(_batches(seed)):
        journal.append(Batch(events=events, watermarks=make_watermarks(until)))
        with journal.reader() as reader:
            advanced = live.advance(reader)
        seen["over" if advanced.started_over else "on"] += 1
        seen["due"] += events[0].kind == "record.sweep" and advanced.jobs > 0
        assert_whole(live, journal, judged, told=f"SHADOW_TEST_SEED={BASE}, week {seed}: {number}")
        seen.update(finding.id for finding in live.findings())
        seen.update(verdict for _, verdict in live.verdicts)
    path.unlink()
    return seen


@pytest.mark.parametrize("part", range(3))
def test_every_look_gives_what_the_whole_journal_gives(
    part: int, empty: Path, tmp_path: Path
) -> None:
    seen: Counter[str] = Counter()
    for number in range(2):
        seen += run(BASE + 2 * part + number, empty, tmp_path / f"{number}.duckdb")
    assert seen["on"] > seen["over"], seen


def test_a_deployment_starts_a_look_over_where_it_comes_to_be_known(
    empty: Path, tmp_path: Path
) -> None:
    rules = make_rules(make_rule("casefold", field="values.name", candidate_version="2.*"))
    judged = criteria(deadline_s=DEADLINE_S, rules=rules)
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, live = Journal.open(path), LiveComparison(judged)
    over = []
    for events in (
        (make_job(),), (mark("deployment", "2.1"),), (make_control("submitted", second=60),),
    ):  # fmt: skip
        journal.append(Batch(events=events, watermarks=make_watermarks(at(100))))
        with journal.reader() as reader:
            over.append(live.advance(reader).started_over)
        assert_whole(live, journal, judged, told=str(over))
    assert over == [
        "this is the first look", "another version of the candidate was deployed", None,
    ]  # fmt: skip


def test_a_deadline_that_passes_without_any_event_of_the_job_changes_its_verdict(
    empty: Path, tmp_path: Path
) -> None:
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, judged = Journal.open(path), criteria(deadline_s=DEADLINE_S)
    live = LiveComparison(judged)
    early = (
        make_job(),
        make_history("queue_claimed", number=1, host=None, second=2),
        make_control("submitted", second=60),
    )
    verdicts = []
    for events, until in ((early, at(100)), ((_sweep(at(9000)),), at(9000))):
        journal.append(Batch(events=events, watermarks=make_watermarks(until)))
        with journal.reader() as reader:
            live.advance(reader)
        assert_whole(live, journal, judged, told=str(until))
        verdicts.append(set(live.verdicts))
    assert verdicts == [{("live", "in_flight")}, {("live", "missing_candidate")}]


def test_a_look_that_sees_less_of_the_history_starts_over(empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, judged = Journal.open(path), criteria(deadline_s=DEADLINE_S)
    live = LiveComparison(judged)
    steps = (
        ((make_look(*MIGRATED, second=0), make_job(), make_control("submitted", second=60)), 100),
        ((make_history("queue_claimed", number=1, host=None, second=2),), 200),
        ((make_look(*LIVE, second=8000, session="2"), _sweep(at(9000))), 9000),
    )
    over = []
    for events, second in steps:
        journal.append(Batch(events=events, watermarks=make_watermarks(at(second))))
        with journal.reader() as reader:
            over.append(live.advance(reader).started_over)
        assert_whole(live, journal, judged, told=str(second))
    assert over[1] is None
    assert over[2] is not None


def test_a_job_that_was_forgotten_is_read_again(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MOST_LOOKS", 1)
    run(BASE + 7, empty, tmp_path / "few.duckdb")
    monkeypatch.setattr(recent, "MOST_ROWS", 0)
    run(BASE + 7, empty, tmp_path / "none.duckdb")
