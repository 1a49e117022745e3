"""Makes gate inputs with sane defaults: everything seen, everything well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from harness.assessment import GateResult, PhaseResult, Waiver
from harness.gates.definition import GateSet
from harness.gates.evaluate import evaluate
from harness.gates.inputs import (
    Attestation,
    GateInputs,
    Level,
    Levels,
    OldPath,
    Sampling,
    StageInputs,
)
from harness.stats.quantiles import DurationState

GOOD_JOBS = 150
WATCHED = Sampling(samples=2000, share=0.999)
"""Samples all along."""
START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=10)
ATTESTED = (
    "no_customer_complaints", "no_rise_in_support_tickets", "rollback_ready", "flags_removed",
)  # fmt: skip
MEASURES = ("queue_depth", "dead_letter_depth", "stale_workers", "stuck_jobs")


def make_inputs(jobs: int = GOOD_JOBS, **changes: Any) -> GateInputs:
    """`jobs` jobs that all agree, succeed, are fast and not lost; `changes` override."""
    ones = np.ones(jobs)
    values: dict[str, Any] = {
        "agreement_low": ones,
        "agreement_high": ones,
        "success_low": ones,
        "success_high": ones,
        "control_success": 0.97,
        "end_to_end_s": np.full(jobs, 120.0),
        "end_to_end_state": (DurationState.FINISHED,) * jobs,
        "admitted_jobs": jobs,
        "processed_jobs": jobs,
        "confirmed_losses": {"never_enqueued": 0, "lost_after_trigger": 0},
        "coverage": 1.0 if jobs else None,
        "recording_complete": True,
        "dlq_depth": 0,
        "dlq_sampling": WATCHED,
        "prefect_errors": {"failed": 0, "crashed": 0, "late": 0, "no_deployment": 0},
        "prefect_sampling": WATCHED,
        "attestations": {name: said() for name in ATTESTED},
        "replay_escapes": 0,
        "critical_findings": {},
        "leftovers": {"old_status": 0, "other_writer": 0, "queued": 0, "dead_letter": 0},
        "levels": {measure: sampled() for measure in MEASURES},
        "old_path": OldPath(at=START),
        "record_start": START,
        "record_end": END,
        "stages": (),
    }
    inputs = {**values, **changes}
    if "stages" not in changes:
        steps = [START + timedelta(days=days) for days in (0, 3, 6)]
        inputs["stages"] = tuple(
            StageInputs(
                percent=percent, since=since, until=until, inputs=make_inputs(jobs, stages=())
            )
            for percent, since, until in zip((10, 50, 100), steps, (*steps[1:], None), strict=True)
        )
    return GateInputs(**inputs)


def said(**changes: Any) -> Attestation:
    """A statement that counts, of a drill that was quick."""
    values = {"text": "Ana Ruiz, until 9 December", "valid": True, "took_s": 140.0}
    return Attestation(**{**values, **changes})


@cache
def sampled(*values: int, minutes: float = 5.0) -> Levels:
    """A level seen every few minutes of the record: these values last, nought before."""
    times = [
        START + timedelta(minutes=minutes * step)
        for step in range(int((END - START).total_seconds() / 60 / minutes) + 1)
    ]
    seen = [0] * (len(times) - len(values)) + list(values)
    return Levels(
        seen=tuple(Level(at=at, value=value) for at, value in zip(times, seen, strict=True))
    )


def evaluated(
    gates: GateSet, inputs: GateInputs, *, waivers: dict[str, Waiver] | None = None
) -> tuple[PhaseResult, ...]:
    """Every phase judged, those after the cut-over on the same evidence."""
    return evaluate(gates, inputs, since={"cutover": inputs}, waivers=waivers)


def judged(gates: GateSet, gate: str, inputs: GateInputs) -> GateResult:
    """The result of one gate, named as ``phase.gate``."""
    return find(evaluated(gates, inputs), gate)


def find(phases: tuple[PhaseResult, ...], gate: str) -> GateResult:
    """The result named `gate` among those of all phases."""
    return next(result for phase in phases for result in phase.gates if result.gate == gate)
