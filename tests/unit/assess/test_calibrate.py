"""Faults planted in a journal, in pairs and in events; the journal itself is only read."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.assess.calibrate import Calibration, calibrate, read_material
from harness.assess.criteria import Criteria
from harness.assess.planted_events import FINDING
from harness.compare.calibration.causes import BLIND
from harness.compare.calibration.kinds import ERROR_TEXTS, Effect
from harness.compare.rules import RuleSet
from harness.journal.detectors import catalogue
from harness.journal.planted import event_faults
from harness.journal.store import Journal
from harness.model import EventDraft
from harness.report.calibration_json import to_json
from harness.resources import sql_queries
from tests.support.events import make_control, make_history, make_plan, make_replay, make_result
from tests.support.journals import BUSINESS, criteria, make_journal, sound_job
from tests.support.reference_runs import journal_of
from tests.support.reference_weeks import random_week
from tests.support.rules import make_rule
from tests.support.shapes import MIGRATED, make_look

HOSTS = ("maple-listings.example", "birch-index.test")
FAILING = "cedar-pages.example"
MANY = (*HOSTS, *(f"{tree}-pages.example" for tree in ("ash", "elm", "fir", "oak", "yew", "box")))
"""Enough for what a job always sends to be told from what it sends by chance."""


def job(number: int) -> list[EventDraft]:
    """A job of which both systems submit two directories, the first one eight.

    Odd ones fail a third for one reason.
    """
    job_id = f"{number:08d}-1111-4111-8111-111111111111"
    hosts = HOSTS if number else MANY
    events = sound_job(job_id, second=60 * number, hosts=hosts)
    for host in hosts:
        ended = {"idem": f"{job_id}/{host}", "listing_url": f"https://{host}/listing"}
        events.append(make_result("submitted", job_id=job_id, host=host, **ended))
    return [*events, *_failed(job_id)] if number % 2 else events


def _failed(job_id: str) -> list[EventDraft]:
    where: dict[str, Any] = {"job_id": job_id, "host": FAILING}
    history = []
    for place, word in enumerate(("submitting", "error") * 4):
        details = {"error": "Timeout 10000ms exceeded."} if word == "error" else {}
        history.append(make_history(word, number=90 + place, second=70 + place, **where, **details))
    return [
        make_control("failed", message="Playwright error: Timeout 30000ms.", second=70, **where),
        make_plan({"name": "Maple Joinery", "phone": "+1 202-555-0142"}, **where),
        *history,
        make_replay("failed", accepted=0, error="Timeout 10000ms exceeded.", **where),
    ]


def week(folder: Path, jobs: int = 6, also: Sequence[EventDraft] = ()) -> Journal:
    """A journal of such jobs, and one look at the shape of production."""
    events = [make_look(*MIGRATED, second=0, session="1"), *also]
    for number in range(jobs):
        events += job(number)
    return make_journal(folder, events)


def calibrated(journal: Journal, rules: RuleSet | None = None, **options: Any) -> Calibration:
    changes = {"rules": rules} if rules else {}
    return planted_in(journal, criteria(**changes), **options)


def planted_in(
    journal: Journal, judged_by: Criteria, *, seed: int = 0, **options: Any
) -> Calibration:
    with journal.reader() as reader:
        material = read_material(reader, judged_by, seed=seed)
    return calibrate(material, judged_by, **options)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return week(tmp_path_factory.mktemp("week"))


@pytest.fixture(scope="module")
def result(journal: Journal) -> Calibration:
    return calibrated(journal, mutations=2000)


def test_a_sound_week_is_sharp_and_every_survivor_has_one_cause(result: Calibration) -> None:
    assert result.sharp is True
    assert result.scores.score == 1.0
    assert result.scores.planted >= 1000
    assert (result.waiting, result.differing) == (0, 0)
    assert [group.counted for group in result.scores.survivors] == [False]
    assert [(run.jobs, run.hit, run.shown) for run in result.runs] == [(6, 1, 1)] * 3


def test_every_finding_has_a_planted_fault_that_it_names_at_its_place(
    result: Calibration,
) -> None:
    # This one speaks of the rules, not of events.
    of_rules = "rule_hides_too_much"
    assert {d.id for d in catalogue()} - {of_rules} == {
        fault.finding for fault in event_faults() if not fault.innocent
    }
    found = {kind.kind: kind for kind in result.scores.kinds if kind.field == FINDING}
    assert found.keys() == {f"event.{fault.id}" for fault in event_faults()}
    for kind in found.values():
        assert kind.planted >= 1
        assert kind.shown == (kind.planted if kind.effect is Effect.CHANGES else 0), kind.kind


def test_delivering_again_or_in_another_order_is_planted_and_changes_nothing(
    result: Calibration,
) -> None:
    innocent = {k.kind: k for k in result.scores.kinds if k.effect is Effect.INNOCENT}
    for kind in ("event.redelivered", "event.reordered"):
        assert (innocent[kind].planted, innocent[kind].shown) == (6, 0)


def test_a_finding_that_does_not_look_is_named_as_a_blind_spot(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tuple(d for d in catalogue() if d.id != "orphan_submitting")
    monkeypatch.setattr("harness.journal.findings.catalogue", lambda: others)
    result = calibrated(journal, mutations=500)
    assert result.sharp is False
    (group,) = [group for group in result.scores.survivors if group.counted]
    assert (group.rules, group.cause) == ((), BLIND)
    assert [kind for kind, _ in group.kinds] == ["event.orphan_submitting"]
    assert all(directory for _, _, directory, _ in group.examples)


def test_an_order_that_matters_shows_as_a_false_alarm(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its fault turned into an innocent one: the twin tells the two apart.
    changed = [
        replace(fault, innocent=True) if fault.id == "orphan_submitting" else fault
        for fault in event_faults()
    ]  # fmt: skip
    monkeypatch.setattr("harness.assess.planted_events.event_faults", lambda: tuple(changed))
    result = calibrated(journal, mutations=500)
    assert {m.kind for m in result.scores.false_alarms} == {"event.orphan_submitting"}
    assert result.sharp is False


def test_an_over_broad_rule_is_named_and_the_result_is_not_sharp(journal: Journal) -> None:
    broad = make_rule("ignore", name="any-phone", field="values.phone")
    result = calibrated(journal, mutations=2000, rules=criteria().rules.having(broad))
    assert result.sharp is False
    assert {(h.rule, h.field, h.share) for h in result.scores.blinding} == {
        ("any-phone", "values.phone", 1.0)
    }
    survived = json.loads(to_json(result))["survived"]
    assert len(survived) == result.scores.planted - result.scores.caught > 0
    assert {mutant["cause"] for mutant in survived} == {"Rule any-phone (ignore) makes it agree."}


def test_the_same_seed_gives_the_same_bytes_and_the_journal_stays_as_it_is(
    journal: Journal,
) -> None:
    before = hashlib.sha256(journal.path.read_bytes()).hexdigest()
    files = sorted(path.name for path in journal.path.parent.iterdir())
    first, again = (to_json(calibrated(journal, mutations=300, seed=5)) for _ in range(2))
    assert first == again
    assert first != to_json(calibrated(journal, mutations=300, seed=6))
    assert hashlib.sha256(journal.path.read_bytes()).hexdigest() == before
    assert sorted(path.name for path in journal.path.parent.iterdir()) == files


def test_no_value_that_anybody_sent_is_told(result: Calibration) -> None:
    text = to_json(result)
    values = {*BUSINESS.values(), "555-0142", "Maple", "maple-joinery"}
    assert not [value for value in values if value in text]


def test_what_is_no_evidence_is_never_green(tmp_path: Path) -> None:
    empty = calibrated(make_journal(tmp_path, name="empty.duckdb"))
    assert (empty.sharp, empty.scores.score, empty.pairs) == (None, None, 0)
    waiting = make_journal(
        tmp_path, [e for e in job(0) if e.kind == "jobs"], name="waiting.duckdb",
        recorded_at=job(0)[0].occurred_at + timedelta(seconds=1), complete_until=None,
    )  # fmt: skip
    assert calibrated(waiting).sharp is None


@pytest.mark.parametrize("seed", [41, 62, 82, 101])
def test_on_random_weeks_only_contradictions_hide_a_fault_and_nothing_innocent_shows(
    seed: int,
) -> None:
    week = random_week(seed)
    with tempfile.TemporaryDirectory() as folder:
        empty = make_journal(Path(folder), name="empty.duckdb").path
        recorded = journal_of(week, empty, Path(folder) / "week.duckdb")
        judged_by = criteria(deadline_s=600.0, time_scale=week.scale)
        result = planted_in(recorded, judged_by, mutations=500)
    assert result.scores.planted
    assert result.scores.false_alarms == ()
    for group in result.scores.survivors:
        assert not group.counted or group.cause.startswith("Several control rows")


def test_the_planted_error_texts_have_the_class_that_is_said() -> None:
    con = duckdb.connect()
    con.execute(sql_queries("sources/error_classes.sql")["create_classify_error"])
    for name, text in ERROR_TEXTS.items():
        assert con.execute("SELECT classify_error(?)", [text]).fetchall() == [(str(name),)]
