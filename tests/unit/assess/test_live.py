"""What a look makes of the increment is what it would make of the whole journal."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.assess.live import recent, state
from harness.assess.live.changes import Change, LiveChanges
from harness.assess.live.over import Over
from harness.assess.live.state import LiveComparison
from harness.assess.moment import overstep
from harness.assessment import Difference, Finding
from harness.compare.clusters import find_clusters
from harness.compare.comparison import Comparison, differences, rule_effects
from harness.journal.findings import detect
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.deciding import mark
from tests.support.events import at, make_control, make_history, make_job
from tests.support.journals import criteria, make_journal, make_watermarks
from tests.support.reference_weeks import random_week
from tests.support.rules import make_rule, make_rules
from tests.support.samples import make_dead_letter
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


Place = tuple[str, str, str | None, str | None]


class _Heard:
    """What somebody knows who was told the beginning, and every change since."""

    def __init__(self, changes: LiveChanges) -> None:
        self._changes = changes
        self.differences: dict[str, Difference] = {}
        self.cases: Counter[Place] = Counter()
        self.words: Counter[str] = Counter()

    def begin(self, journal: Journal, judged: Criteria) -> None:
        assert self._changes.take() == ([], []), "what was there before is no news"
        self.differences, self.cases = _on_record(journal, judged)

    def hear(self) -> None:
        heard, cases = self._changes.take()
        for one in heard:
            key = one.difference.id
            assert (key in self.differences) == (one.change is not Change.APPEARED), one
            self.differences.pop(key, None)
            if one.change is not Change.GONE:
                self.differences[key] = replace(one.difference, seq=0)
            self.words[one.change.value] += 1
        for case in cases:
            place = case.finding, case.mode, case.evidence.job_id, case.evidence.directory
            self.cases[place] += 1 if case.change is Change.APPEARED else -1
            assert self.cases[place] >= 0, case
            self.words[f"case {case.change.value}"] += 1


def _on_record(journal: Journal, judged: Criteria) -> tuple[dict[str, Difference], Counter[Place]]:
    """Differences by id, and cases, of the whole journal."""
    with journal.reader() as reader:
        compared = compare_journal(reader, judged)
        findings = detect(
            reader, until=compared.until, deadline_s=judged.deadline_s,
            time_scale=judged.time_scale,
        )  # fmt: skip
    places = (
        (finding.id, finding.mode, row.job_id, row.directory)
        for finding in findings for row in finding.evidence
    )  # fmt: skip
    found = differences(compared.comparison)
    return {one.id: replace(one, seq=0) for one in found}, Counter(places)


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


def test_whoever_hears_of_every_change_knows_what_is_on_record(empty: Path, tmp_path: Path) -> None:
    words: Counter[str] = Counter()
    for number in range(2):
        seed = BASE + 20 + number
        path = tmp_path / f"{number}.duckdb"
        shutil.copy(empty, path)
        journal = Journal.open(path)
        judged = criteria(deadline_s=DEADLINE_S, time_scale=random_week(seed).scale)
        changes = LiveChanges()
        live, heard = LiveComparison(judged, changes=changes), _Heard(changes)
        for events, until in _batches(seed):
            journal.append(Batch(events=events, watermarks=make_watermarks(until)))
            with journal.reader() as reader:
                over = live.advance(reader).started_over
            if over is not None and not over.same_record:
                heard.begin(journal, judged)
                continue
            heard.hear()
            told = f"SHADOW_TEST_SEED={BASE}, week {seed}, {until}"
            known, cases = _on_record(journal, judged)
            assert heard.differences == known, told
            assert +heard.cases == cases, told
        words += heard.words
    assert words.keys() >= {"appeared", "case appeared"}, words


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


def test_a_late_arrival_takes_back_what_was_missing(empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, changes = Journal.open(path), LiveChanges()
    live = LiveComparison(criteria(deadline_s=DEADLINE_S), changes=changes)
    steps = (
        ((make_job(), make_control("submitted", second=60)), 100),
        ((_sweep(at(9000)),), 9000),
        ((make_history("failed", number=2, second=9010, error="no such field"),), 9020),
        ((make_control("submitted", version=2, second=60), _sweep(at(9030))), 9030),
        ((make_history("submitted", number=3, second=9040, duration_ms=7000),), 9050),
    )
    told = []
    for events, second in steps:
        journal.append(Batch(events=events, watermarks=make_watermarks(at(second))))
        with journal.reader() as reader:
            live.advance(reader)
        heard, _ = changes.take()
        told.append([(one.change.value, one.difference.kind) for one in heard])
    assert told == [
        [], [("appeared", "missing_candidate")], [("changed", "candidate_failed")], [],
        [("gone", "candidate_failed")],
    ]  # fmt: skip


def test_what_another_sight_of_the_history_changes_is_told(empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, judged, changes = Journal.open(path), criteria(deadline_s=DEADLINE_S), LiveChanges()
    live, heard = LiveComparison(judged, changes=changes), _Heard(changes)
    steps = (
        ((make_look(*MIGRATED, second=0), make_job(), make_control("submitted", second=60)), 100),
        ((_sweep(at(8000)),), 8000),
        ((make_look(*LIVE, second=50, session="2"), _sweep(at(9000))), 9000),
    )
    for events, second in steps:
        journal.append(Batch(events=events, watermarks=make_watermarks(at(second))))
        with journal.reader() as reader:
            over = live.advance(reader).started_over
        if second == 100:
            heard.begin(journal, judged)
        else:
            heard.hear()
            assert (heard.differences, +heard.cases) == _on_record(journal, judged), second
    assert over is not None
    # A silence in which nothing could be heard proves nothing.
    assert heard.words.keys() >= {"gone", "case gone", "case appeared"}


def test_a_case_that_belongs_to_no_job_is_told_once(empty: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, judged, changes = Journal.open(path), criteria(deadline_s=DEADLINE_S), LiveChanges()
    live, told = LiveComparison(judged, changes=changes), []
    for events in ((make_job(),), (make_dead_letter(job_id=None),), (_sweep(at(200)),)):
        journal.append(Batch(events=events, watermarks=make_watermarks(at(100))))
        with journal.reader() as reader:
            live.advance(reader)
        _, cases = changes.take()
        told.append([(one.change.value, one.finding) for one in cases])
    assert told == [[], [("appeared", "dead_letter_message")], []]


def test_a_look_that_failed_is_never_gone_on_with(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "week.duckdb"
    shutil.copy(empty, path)
    journal, judged = Journal.open(path), criteria(deadline_s=DEADLINE_S)
    live, over = LiveComparison(judged), []

    def look(*events: EventDraft) -> None:
        journal.append(Batch(events=events, watermarks=make_watermarks(at(100))))
        with journal.reader() as reader:
            over.append(live.advance(reader).started_over)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    look(make_job())
    with monkeypatch.context() as broken:
        broken.setattr(state, "compare", fail)
        with pytest.raises(MemoryError):
            look(make_control("submitted", second=60))
    look(_sweep(at(200)))
    assert_whole(live, journal, judged, told=str(over))
    look(make_history("queue_claimed", number=1, host=None, second=2))
    assert_whole(live, journal, judged, told=str(over))
    assert over == [Over.FIRST, Over.FAILED, None]
