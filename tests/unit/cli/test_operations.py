"""What the dashboard does is what the commands do, and its refusals are words without dashes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.assess.build import assess
from harness.assess.criteria import load_criteria
from harness.assessment import Assessment
from harness.cli.operations import JournalOperations
from harness.errors import SettingsError
from harness.journal.store import Journal
from harness.model import TriageLabel
from harness.settings import load_settings
from tests.support.events import make_plan
from tests.support.journals import make_journal, sound_job

SOUND = "11111111-1111-4111-8111-111111111111"
ODD = "22222222-1111-4111-8111-111111111111"
PHONE = "202-555-0199"
DEADLINE_S = 60.0


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A sound job, and one of which the candidate typed another phone."""
    monkeypatch.chdir(tmp_path)
    typed = {"name": "Maple Joinery", "phone": PHONE, "zip": "12207"}
    events = [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, second=100, run=None)
    ]
    return make_journal(tmp_path, [*sound_job(SOUND), *events], name="shadow.duckdb")


@pytest.fixture
def operations(week: Journal) -> JournalOperations:
    return JournalOperations(None, week.path)


def seen(week: Journal) -> Assessment:
    with week.reader() as reader:
        return assess(reader, load_criteria(load_settings(None, {})))


def test_a_label_an_attestation_and_a_waiver_stand_in_the_assessment(
    week: Journal, operations: JournalOperations
) -> None:
    cause = seen(week).clusters[0]
    operations.label(cause.id, TriageLabel.CANDIDATE_BUG, "the plan exchanges digits", "Ana")
    name = operations.attestable()[0]
    operations.attest(name, by="Ana", until="7d", holds=True, took="200s", note=" ")
    gate = operations.waivable()[0]
    said = operations.waive(gate, by="Ana", reason="no Prefect here", until="7d")
    assert said.startswith(f"{gate}: waived until")
    shown = seen(week)
    assert shown.clusters[0].triage is not None
    assert [(one.name, one.took_s, one.note) for one in shown.statements] == [(name, 200.0, "")]
    assert [one.gate for one in shown.waivers] == [gate]
    operations.label(cause.id, None, "", "Ana")
    operations.waive(gate, by="Ana", reason="", until=None)
    assert (seen(week).triage, seen(week).waivers) == ((), ())


def test_what_is_missing_is_said_without_dashes_and_nothing_is_written(
    week: Journal, operations: JournalOperations
) -> None:
    cause, head = seen(week).clusters[0], week.head()
    name, gate = operations.attestable()[0], operations.waivable()[0]

    def attest(until: str = "7d", by: str = "Ana", took: str = "") -> None:
        operations.attest(name, by=by, until=until, holds=True, took=took, note="")

    for refused, words in (
        (lambda: operations.label(cause.id, TriageLabel.ACCEPTED, " ", "Ana"), "needs a reason"),
        (lambda: operations.label(cause.id, TriageLabel.ACCEPTED, "x", " "), "name a person"),
        (lambda: operations.label("ffff", TriageLabel.ACCEPTED, "x", "Ana"), "no cluster"),
        (lambda: attest(by=""), "name a person"),
        (lambda: attest(until=""), "until is missing"),
        (lambda: attest(until="2020-01-01"), "is over already"),
        (lambda: attest(took="long"), "is not a duration"),
        (lambda: operations.waive(gate, by="Ana", reason="", until="7d"), "reason is missing"),
        (lambda: operations.waive("nowhere", by="Ana", reason="x", until="7d"), "not known"),
    ):
        with pytest.raises(SettingsError) as error:
            refused()
        assert words in str(error.value)
        assert "--" not in str(error.value)
    assert week.head() == head


def test_what_is_copied_is_masked_as_in_a_report(
    week: Journal, operations: JournalOperations
) -> None:
    shown = seen(week)
    (phone,) = [one for one in shown.differences if one.field == "values.phone"]
    assert phone.candidate_raw == PHONE
    masked = operations.masked(phone, shown)
    assert PHONE not in repr(masked)
    gate = shown.phases[0].gates[0]
    for target in (shown.clusters[0], gate):
        assert type(operations.masked(target, shown)) is type(target)


def test_a_replay_that_cannot_run_says_why_in_its_log(operations: JournalOperations) -> None:
    process = operations.replay(job_id="nobody", directory="maple.example")
    deadline = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert process.poll() == 2
    assert process.last_words().startswith("shadow: ")
    assert process.log.stat().st_mode & 0o077 == 0
    process.log.unlink()
    assert process.last_words() == ""
