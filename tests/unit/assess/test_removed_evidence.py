"""Taking evidence out of a journal whose decision is GO makes it no GO and no gate greener."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assess.in_force import criteria_event
from harness.assess.said import AttestPayload, said_event
from harness.assessment import Assessment
from harness.gates.definition import GateSet, parse_gates
from harness.gates.presets import preset_text
from harness.model import Decision, EventDraft, GateStatus
from tests.support.deciding import BY, failed_job, job_name, make_batches, mark
from tests.support.events import at
from tests.support.journals import assessed, criteria, make_journal, sound_job
from tests.support.samples import (
    make_flow_run,
    make_prefect_sample,
    make_queue_sample,
    make_start,
)

JOBS = 8
UNTIL = 5000
SAID = ("criteria", "mark", "attest")
"""Said before the first job."""
STRICTNESS = {GateStatus.FAIL: 0, GateStatus.OPEN: 1, GateStatus.UNDECIDED: 1, GateStatus.PASS: 2}


@cache
def easy_gates() -> GateSet:
    """The runbook's gates, with thresholds that a dozen jobs can prove."""
    text = preset_text("runbook")
    for old, new in (
        ("threshold = 0.95", "threshold = 0.5\nn_min = 5"),
        ("threshold = 0.90", "threshold = 0.5\nn_min = 5"),
        ("quantile = 0.95", "quantile = 0.5\nn_min = 5"),
        ('measure = "lost_jobs"', 'measure = "lost_jobs"\nn_min = 5'),
        ("stages = [10, 50, 100]\nn_min = 30", "stages = [100]\nn_min = 5"),
    ):
        assert old in text
        text = text.replace(old, new)
    return parse_gates(text, origin="easy.toml")


def week() -> list[EventDraft]:
    """Everything that the gates want to see."""
    told = criteria(gates=easy_gates())
    events = [e for n in range(JOBS) for e in sound_job(job_name(n), second=10.0 * n)]
    events += [
        make_flow_run("COMPLETED", run=f"run-{n}", job_id=job_name(n), second=10.0 * n + 20)
        for n in range(JOBS)
    ]
    attested = AttestPayload(name="no_customer_complaints", holds=True, by=BY, until=at(10 * UNTIL))
    return [
        criteria_event(told, at=at(0)),
        mark("ramp", "100"),
        said_event(attested, at=at(1)),
        make_start(),
        EventDraft(
            source="replay:demo",
            kind="replay.started",
            key="replay:demo:started:0",
            occurred_at=at(90),
            payload={"run": "demo", "worker": "playwright", "selected": JOBS},
        ),
        *events,
        *(make_queue_sample(second) for second in range(0, UNTIL + 1, 500)),
        *(make_prefect_sample(second) for second in range(0, UNTIL + 1, 500)),
    ]


@dataclass(frozen=True)
class Piece:
    """A piece of evidence that can be missing."""

    name: str
    is_of_it: Callable[[EventDraft], bool]


def kind(*kinds: str) -> Callable[[EventDraft], bool]:
    return lambda event: event.kind in kinds


PIECES = (
    Piece("attestation", kind("attest")),
    Piece("ramp", kind("mark")),
    Piece("queue samples", kind("sqs.sample")),
    Piece("prefect", kind("prefect.sample", "prefect.flow_run")),
    Piece("replay", kind("replay.submission")),
    Piece("candidate", kind("queue_history")),
    Piece("control", kind("directory_submissions")),
    Piece("jobs", kind("jobs")),
    Piece("late queue samples", lambda e: e.kind == "sqs.sample" and e.occurred_at > at(2000)),
    Piece("early prefect", lambda e: e.kind == "prefect.sample" and e.occurred_at < at(2000)),
)


def assess_week(events: list[EventDraft], *, proved: bool = True) -> Assessment:
    with tempfile.TemporaryDirectory() as folder:
        if proved:
            first = [event for event in events if event.kind in SAID]
            rest = [event for event in events if event.kind not in SAID]
            journal = make_batches(Path(folder), [(-60.0, first), (UNTIL + 10.0, rest)],
                                   until=UNTIL)  # fmt: skip
        else:
            journal = make_journal(Path(folder), events, complete_until=None)
        return assessed(journal, gates=easy_gates())


@cache
def whole() -> Assessment:
    return assess_week(week())


def statuses(found: Assessment) -> dict[str, GateStatus]:
    return {gate.gate: gate.status for phase in found.phases for gate in phase.gates}


def test_the_whole_week_is_go() -> None:
    assert whole().decision is Decision.GO, whole().reason


def test_without_a_proof_that_the_record_is_complete_it_is_not() -> None:
    assert assess_week(week(), proved=False).decision is not Decision.GO


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.name)
def test_each_piece_is_needed(piece: Piece) -> None:
    found = assess_week([event for event in week() if not piece.is_of_it(event)])
    assert found.decision is not Decision.GO


@given(
    pieces=st.sets(st.sampled_from(range(len(PIECES))), min_size=1),
    bad=st.sets(st.integers(0, JOBS - 1), max_size=JOBS),
)
@settings(max_examples=12, deadline=None)
def test_removing_evidence_makes_no_gate_greener(pieces: set[int], bad: set[int]) -> None:
    events = [e for e in week() if e.job_id not in {job_name(n) for n in bad}]
    events += [e for n in sorted(bad) for e in failed_job(n, second=10.0 * n)]
    before = assess_week(events)
    gone = [PIECES[n].is_of_it for n in pieces]
    after = assess_week([e for e in events if not any(of_it(e) for of_it in gone)])
    assert after.decision is not Decision.GO
    old, new = statuses(before), statuses(after)
    for gate, status in new.items():
        if status is GateStatus.PASS:
            assert old[gate] is GateStatus.PASS, gate
