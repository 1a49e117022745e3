"""Makes gate inputs with sane defaults: everything seen, everything well."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.assessment import GateResult, PhaseResult
from harness.gates.definition import GateSet
from harness.gates.evaluate import evaluate
from harness.gates.inputs import Attestation, GateInputs, Sampling

GOOD_JOBS = 150
WATCHED = Sampling(samples=2000, share=0.999)
"""Samples all along."""


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
        "end_to_end_state": ("finished",) * jobs,
        "admitted_jobs": jobs,
        "processed_jobs": jobs,
        "confirmed_losses": {"never_enqueued": 0, "lost_after_trigger": 0},
        "coverage": 1.0 if jobs else None,
        "recording_complete": True,
        "dlq_depth": 0,
        "dlq_sampling": WATCHED,
        "prefect_errors": {"failed": 0, "crashed": 0, "late": 0, "no_deployment": 0},
        "prefect_sampling": WATCHED,
        "attestations": {
            "no_customer_complaints": Attestation(text="Ana Ruiz, until 9 December", valid=True)
        },
        "replay_escapes": 0,
    }
    return GateInputs(**{**values, **changes})


def judged(gates: GateSet, gate: str, inputs: GateInputs) -> GateResult:
    """The result of one gate, named as ``phase.gate``."""
    return find(evaluate(gates, inputs), gate)


def find(phases: tuple[PhaseResult, ...], gate: str) -> GateResult:
    """The result named `gate` among those of all phases."""
    return next(result for phase in phases for result in phase.gates if result.gate == gate)
