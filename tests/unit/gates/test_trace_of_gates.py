"""Every shipped gate in four states: it passes, it fails, nobody looked, the evidence is stale."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from harness.gates.inputs import GateInputs, Levels, OldPath, Sampling
from harness.gates.presets import load_gates
from harness.model import GateStatus
from harness.stats.quantiles import DurationState
from tests.unit.gates.factory import END, judged, make_inputs, said, sampled

GATES = load_gates()
LATE = Sampling(samples=2000, share=0.999, behind_s=3 * 3600.0)
"""Samples that stopped three hours before the record ended."""
GAP = {"recording_gaps": ("production, restarted, 10:00 to 11:00",)}
UNPROVED = {"recording_complete": False}


def attested(name: str, **changes: Any) -> dict[str, Any]:
    rest = make_inputs().attestations
    return {"attestations": {**rest, name: said(**changes)}}


def unsaid(name: str) -> dict[str, Any]:
    rest = make_inputs().attestations
    return {"attestations": {one: text for one, text in rest.items() if one != name}}


def level(measure: str, seen: Levels) -> dict[str, Any]:
    return {"levels": {**make_inputs().levels, measure: seen}}


def old_samples(measure: str) -> dict[str, Any]:
    return level(measure, Levels(seen=sampled().seen[:-60]))


def shares(value: float, what: str) -> dict[str, Any]:
    return {f"{what}_low": np.full(150, value), f"{what}_high": np.full(150, value)}


def slow(seconds: float) -> dict[str, Any]:
    return {
        "end_to_end_s": np.full(150, seconds),
        "end_to_end_state": (DurationState.FINISHED,) * 150,
    }


def failing_stage() -> tuple[Any, ...]:
    first, *rest = make_inputs().stages
    return (replace(first, inputs=make_inputs(stages=(), **shares(0.2, "success"))), *rest)


@dataclass(frozen=True)
class Trace:
    """What to change for each state, and words that the result must have."""

    fails: tuple[dict[str, Any], str]
    nobody: tuple[dict[str, Any], str]
    stale: tuple[dict[str, Any], str]
    red: GateStatus = field(default=GateStatus.FAIL)


TRACES = {
    "dual-write.all_processed": Trace(
        fails=({"confirmed_losses": {"lost_after_trigger": 1}}, "1 confirmed case of loss"),
        nobody=({"confirmed_losses": None}, "nobody has looked for lost jobs"),
        stale=(UNPROVED, "the recording is not complete"),
    ),
    "dual-write.prefect_errors": Trace(
        fails=({"prefect_errors": {"crashed": 2}}, "2 crashed flow runs"),
        nobody=({"prefect_errors": None, "prefect_sampling": Sampling()}, "never asked"),
        stale=({"prefect_sampling": LATE}, "180 min older than the record"),
    ),
    "dual-write.agreement": Trace(
        fails=(shares(0.2, "agreement"), "95 % was required"),
        nobody=({"agreement_low": np.zeros(0), "agreement_high": np.zeros(0)}, "no job has an out"),
        stale=(GAP, "the recording has 1 gap"),
    ),
    "shadow.p95_latency": Trace(
        fails=(slow(900.0), "of jobs end within 300 s"),
        nobody=({"end_to_end_s": np.zeros(0), "end_to_end_state": ()}, "no job has an outcome"),
        stale=(UNPROVED, "the recording is not complete"),
    ),
    "shadow.success_rate": Trace(
        fails=(shares(0.2, "success"), "90 % was required"),
        nobody=({"success_low": np.zeros(0), "success_high": np.zeros(0)}, "no job has an outcome"),
        stale=({"coverage": 0.4}, "only 40.0 % of the admitted jobs are covered"),
    ),
    "shadow.zero_loss": Trace(
        fails=({"confirmed_losses": {"never_enqueued": 3}}, "3 never enqueued"),
        nobody=({"confirmed_losses": None}, "nobody has looked for lost jobs"),
        stale=(GAP, "the recording has 1 gap"),
    ),
    "shadow.dead_letters": Trace(
        fails=({"dlq_depth": 1}, "1 message in the dead-letter queue"),
        nobody=({"dlq_depth": None, "dlq_sampling": Sampling()}, "never sampled"),
        stale=({"dlq_sampling": LATE}, "180 min older than the record"),
    ),
    "shadow.complaints": Trace(
        fails=(attested("no_customer_complaints", holds=False), "Attested to the contrary"),
        nobody=(unsaid("no_customer_complaints"), "nobody has attested it"),
        stale=(attested("no_customer_complaints", valid=False), "no longer counts"),
    ),
    "shadow.sandbox_escapes": Trace(
        fails=({"replay_escapes": 1}, "1 "),
        nobody=({"replay_escapes": None}, "no count of attempts to leave the sandbox"),
        stale=({"replay_escapes": None}, "no count of attempts to leave the sandbox"),
    ),
    "shadow.critical_findings": Trace(
        fails=({"critical_findings": {"false_success": 4}}, "1 critical finding in the record"),
        nobody=({"critical_findings": None}, "no detector has run"),
        stale=({"unseen_by_findings": ("candidate_not_observable",)}, "could not see everything"),
    ),
    "shadow.ramp": Trace(
        fails=({"stages": failing_stage()}, "Submissions that succeed at 10 %"),
        nobody=({"stages": ()}, "No step of the ramp is marked"),
        stale=({"stages": make_inputs().stages[:2]}, "100 % has seen 0 jobs"),
    ),
    "cutover.all_processed": Trace(
        fails=({"confirmed_losses": {"lost_after_claim": 1}}, "1 lost after claim"),
        nobody=({"confirmed_losses": None}, "nobody has looked for lost jobs"),
        stale=(GAP, "the recording has 1 gap"),
    ),
    "cutover.stuck_jobs": Trace(
        fails=(level("stuck_jobs", sampled(1)), "1 job stuck in the new system"),
        nobody=(level("stuck_jobs", Levels()), "nobody has counted jobs stuck"),
        stale=(UNPROVED, "the recording is not complete"),
    ),
    "cutover.queue_depth": Trace(
        fails=(level("queue_depth", sampled(101)), "101 messages waiting in the queue"),
        nobody=(level("queue_depth", Levels()), "nobody has counted messages waiting"),
        stale=(old_samples("queue_depth"), "300 min older than the record"),
    ),
    "cutover.dead_letters": Trace(
        fails=(level("dead_letter_depth", sampled(11)), "11 messages in the dead-letter queue"),
        nobody=(level("dead_letter_depth", Levels()), "nobody has counted messages in the dead"),
        stale=(old_samples("dead_letter_depth"), "300 min older than the record"),
    ),
    "cutover.stale_workers": Trace(
        fails=(level("stale_workers", sampled(1, 1)), "1 worker silent with work in hand"),
        nobody=(level("stale_workers", Levels()), "nobody has counted workers"),
        stale=(old_samples("stale_workers"), "300 min older than the record"),
    ),
    "cutover.support_tickets": Trace(
        fails=(attested("no_rise_in_support_tickets", holds=False), "to the contrary"),
        nobody=(unsaid("no_rise_in_support_tickets"), "nobody has attested it"),
        stale=(attested("no_rise_in_support_tickets", valid=False), "no longer counts"),
    ),
    "cutover.rollback": Trace(
        fails=(attested("rollback_ready", took_s=301.0), "It took 301 s, more than 300 s"),
        nobody=(attested("rollback_ready", took_s=None), "without saying what it took"),
        stale=(attested("rollback_ready", valid=False), "no longer counts"),
    ),
    "cleanup.old_path": Trace(
        # Use is no fault: the days begin anew.
        fails=({"old_path": OldPath(at=END - timedelta(days=1), words="a heartbeat")}, "1.0 days"),
        nobody=({"old_path": None}, "nobody has looked for its use"),
        stale=(UNPROVED, "the recording is not complete"),
        red=GateStatus.UNDECIDED,
    ),
    "cleanup.leftovers": Trace(
        fails=({"leftovers": {"old_status": 2, "queued": 1}}, "2 waiting for the old poller and 1"),
        nobody=({"leftovers": None}, "nobody has looked for leftovers"),
        stale=(GAP, "the recording has 1 gap"),
    ),
    "cleanup.flags": Trace(
        fails=(attested("flags_removed", holds=False), "to the contrary"),
        nobody=(unsaid("flags_removed"), "nobody has attested it"),
        stale=(attested("flags_removed", valid=False), "no longer counts"),
    ),
}


def test_every_shipped_gate_is_traced() -> None:
    assert list(TRACES) == list(GATES.digests)


@pytest.mark.parametrize("gate", TRACES)
def test_a_gate_passes_fails_and_stays_open(gate: str) -> None:
    trace = TRACES[gate]
    passing = judged(GATES, gate, make_inputs())
    assert passing.status is GateStatus.PASS, passing.reason
    assert passing.missing is None
    assert passing.owner
    assert passing.when_red
    changes, words = trace.fails
    failing = judged(GATES, gate, make_inputs(**changes))
    assert failing.status is trace.red, failing.reason
    assert words in failing.reason
    for changes, words in (trace.nobody, trace.stale):
        found = judged(GATES, gate, make_inputs(**changes))
        stage_is_short = gate == "shadow.ramp" and changes["stages"]
        expected = GateStatus.UNDECIDED if stage_is_short else GateStatus.OPEN
        assert found.status is expected, found.reason
        assert words in found.reason, found.reason
        assert found.missing


@pytest.mark.parametrize("gate", TRACES)
def test_without_any_evidence_no_gate_says_more_than_that(gate: str) -> None:
    found = judged(GATES, gate, GateInputs())
    assert found.status is GateStatus.OPEN
    assert found.missing
