"""Projections: increment and rebuild agree, and every version is right."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from harness.journal.connect import opened
from harness.journal.projections import PROJECTIONS
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.events import (
    HOST,
    at,
    make_again,
    make_control,
    make_history,
    make_job,
    make_plan,
    make_replay,
)
from tests.support.shapes import make_nameless_control, make_old_history, make_old_result

JOBS = ("job-a", "job-a", "job-b")
HOSTS = (HOST, "birch-index.test")


CONTROL_WORDS = ("pending", "submitting", "submitted", "failed", "retry", "levitating", None)
CANDIDATE_WORDS = (
    "submitting", "submitted", "failed", "error", "skipped_duplicate", "error_no_profile", "odd",
)  # fmt: skip
JOB_WORDS = (
    "queue_claimed",
    "flow_triggered",
    "flow_started",
    "job_finalized",
    "job_failed",
    "odd",
)
KINDS = (
    "job", "control", "history", "job history", "plan", "replay", "again", "nameless",
    "old history", "old result",
)  # fmt: skip


@st.composite
def event_lists(draw: st.DrawFn) -> list[EventDraft]:
    """Random lists over two jobs and two hosts, as an unkind source might give them.

    Every kind that feeds a projection occurs in every shape, with words that no mapping knows, in
    an order that is not that of time, and with events that come again under the same key.
    """
    events: list[EventDraft] = []
    for number in range(draw(st.integers(1, 60))):
        job = draw(st.sampled_from(JOBS))
        where = {"job_id": job, "host": draw(st.sampled_from(HOSTS))}
        second = draw(st.integers(0, 40))
        match draw(st.sampled_from(KINDS)):
            case "job":
                status = draw(st.sampled_from(["pending", "in_progress", "failed", "levitating"]))
                started = draw(st.sampled_from([None, at(second).isoformat()]))
                events.append(
                    make_job(job, version=number, second=second, status=status, started_at=started)
                )
            case "control":
                word: Any = draw(st.sampled_from(CONTROL_WORDS))
                unit = draw(st.sampled_from([None, "second row"]))
                business = draw(st.sampled_from([None, {"email": f"{number}@maple.example"}]))
                events.append(
                    make_control(word, version=number, second=second, unit=unit, message="gremlins",
                                 business=business, **where)
                )  # fmt: skip
            case "history":
                word = draw(st.sampled_from(CANDIDATE_WORDS))
                details = draw(st.sampled_from([{}, {"error": "captcha"}, {"duration_ms": number}]))
                events.append(make_history(word, number=number, second=second, **where, **details))
            case "job history":
                word = draw(st.sampled_from(JOB_WORDS))
                events.append(
                    make_history(word, number=number, job_id=job, host=None, second=second)
                )
            case "plan":
                events.append(make_plan({"phone": f"{number}"}, version=number, **where))
            case "replay":
                claimed = draw(st.sampled_from(["submitted", "failed"]))
                run = draw(st.sampled_from(["one", "two"]))
                accepted = draw(st.integers(0, 2))
                events.append(make_replay(claimed, accepted=accepted, run=run, **where))
                if draw(st.booleans()):
                    events.append(make_again(run=run, flaky=draw(st.booleans()), **where))
            case "nameless":
                # Both jobs have this customer; the row may come before either.
                customer = draw(st.sampled_from(["DIR-job-", "DIR-nobody"]))
                word = draw(st.sampled_from(CONTROL_WORDS[:4]))
                unit = draw(st.sampled_from(["one", "two"]))
                events.append(
                    make_nameless_control(word, customer_id=customer, unit=unit, version=number,
                                          second=second)
                )  # fmt: skip
            case "old history":
                event = draw(st.sampled_from([None, "requeued_stale"]))
                events.append(make_old_history(number=number, second=second, event=event))
            case "old result":
                word = draw(st.sampled_from(["submitted", "retry", "levitating", None]))
                events.append(make_old_result(word, number=number, second=second, **where))
            case "again" if events:
                events.append(draw(st.sampled_from(events)))
    return events


def _contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with opened(path, read_only=True) as handle:
        return {
            projection.name: handle.con.execute(
                f"SELECT * FROM {projection.name} ORDER BY ALL"
            ).fetchall()
            for projection in PROJECTIONS
        }


# Shrinking a list of events takes minutes, and an unshrunk one can be read as well.
@settings(max_examples=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(events=event_lists(), data=st.data())
def test_increment_equals_rebuild_however_the_events_are_split(
    events: list[EventDraft], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.create(Path(folder) / "week.duckdb")
        cuts = data.draw(st.lists(st.integers(0, len(events)), max_size=2).map(sorted))
        for low, high in pairwise([0, *cuts, len(events)]):
            journal.append(Batch(events=tuple(events[low:high])))
        by_increment = _contents(journal.path)
        journal.rebuild()
        assert by_increment == _contents(journal.path)
        assert journal.head().seq == len({event.key for event in events})


def test_every_projection_has_facts_in_the_random_lists(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(make_job(), make_control())))
    assert all(_contents(journal.path).values())


def test_events_of_a_job_may_come_in_any_order_of_time(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    for number, (word, second) in enumerate([("flow_started", 9), ("queue_claimed", 2)]):
        late = make_history(word, number=number, host=None, second=second)
        journal.append(Batch(events=(late, make_job(version=number))))
    assert _only(journal, "SELECT claimed_at, flow_started_at FROM jobs_now") == (at(2), at(9))


def test_a_word_repeated_counts_once_in_whatever_order_of_time(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    for version, second in enumerate([10, 5, 20]):
        repeated = make_control("submitting", version=version, second=second)
        journal.append(Batch(events=(repeated,)))
    assert _only(journal, "SELECT attempts, started_at FROM submissions_now") == (1, at(5))


def test_a_word_that_no_mapping_knows_is_kept_as_unknown(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(
        Batch(events=(make_control("submitting"), make_control("levitating", version=2)))
    )
    assert _only(journal, "SELECT outcome, raw_status FROM submissions_now") == (
        "unknown",
        "levitating",
    )


def _only(journal: Journal, sql: str) -> tuple[object, ...]:
    with journal.reader() as reader:
        (row,) = reader.rows(sql)
    return row


def test_the_last_attempt_is_the_outcome_and_attempts_are_counted(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    words = ["submitting", "error", "submitting", "submitted"]
    for number, word in enumerate(words):
        journal.append(Batch(events=(make_history(word, number=number, second=number),)))
    row = _only(
        journal, "SELECT outcome, attempts, finals, started_at, finished_at FROM submissions_now"
    )
    assert row[:3] == ("submitted", 2, 1)
    assert (row[3], row[4]) == (at(0), at(3))


def test_a_control_row_updated_without_a_new_status_counts_once(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    for version, word in enumerate(["pending", "submitting", "submitted", "submitted"]):
        journal.append(Batch(events=(make_control(word, version=version, second=version),)))
    assert _only(journal, "SELECT attempts, finals FROM submissions_now") == (1, 1)


def test_a_plan_says_what_was_sent_but_not_what_happened(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(
        Batch(
            events=(make_history("submitting", number=1), make_plan({"phone": "+1 202-555-0142"}))
        )
    )
    assert _only(journal, "SELECT outcome, sent->>'$.phone', url FROM submissions_now") == (
        "in_flight",
        "+1 202-555-0142",
        f"https://{HOST}/submit",
    )


def test_the_error_of_an_earlier_attempt_does_not_stay_on_a_success(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(
        Batch(
            events=(
                make_history("error", number=1, error="Timeout 10000ms exceeded."),
                make_history("submitted", number=2, duration_ms=7100),
            )
        )
    )
    assert _only(journal, "SELECT error_class, error_text, duration_ms FROM submissions_now") == (
        None,
        None,
        7100.0,
    )


def test_every_version_stays_readable(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    for version, word in enumerate(["pending", "submitting", "failed"]):
        journal.append(Batch(events=(make_control(word, version=version),)))
    seen = []
    for seq in (1, 2, 3):
        with journal.reader(as_of=seq) as reader:
            seen += reader.rows("SELECT raw_status, from_seq FROM submissions_now")
    assert seen == [("pending", 1), ("submitting", 2), ("failed", 3)]
