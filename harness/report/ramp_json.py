"""Advice on a ramp as JSON for scripts: a contract that may grow and never changes quietly."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from harness.plan.ramp import RampAdvice
from harness.plan.ramp_evidence import StageSample
from harness.plan.stages import BEGINNING
from harness.report.plan_json import plain

SCHEMA_VERSION = 1


def ramp_json(advice: RampAdvice, *, seq: int, as_of: str) -> str:
    """The advice as indented UTF-8 JSON with a final newline; shares and chances in [0, 1]."""
    evidence = advice.evidence
    estimate, low, high = advice.harmed
    data = {
        "schema_version": SCHEMA_VERSION,
        "seq": seq,
        "as_of": as_of,
        "advice": advice.advice.value,
        "reasons": [asdict(reason) for reason in advice.reasons],
        "warnings": list(advice.warnings),
        "aim": asdict(advice.aim),
        "jobs_per_hour": evidence.jobs_per_hour,
        "stages": [_stage(stage) for stage in evidence.stages],
        "jobs": {
            "in_shadow": evidence.harmed_low.size,
            "lost": evidence.lost,
            "failed": evidence.failed,
            "ended_in_stage": evidence.ended_in_stage,
            "unsampled": evidence.unsampled,
            "strays": evidence.strays,
        },
        "selected_by_hash": evidence.selected_by_hash,
        "harmed": {"value": estimate, "low": low, "high": high},
        "reweighted_agreement": evidence.reweighted,
        "gates": [
            {
                "gate": gate.gate,
                "title": gate.title,
                "required": gate.required,
                "status": gate.status.value,
                "value": gate.value,
                "n": gate.n,
                "reason": gate.reason,
            }
            for gate in evidence.gates
        ],
        "steps": [asdict(step) for step in advice.steps],
    }
    return json.dumps(plain(data), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _stage(stage: StageSample) -> dict[str, Any]:
    return {
        "percent": stage.declared.percent,
        # The first stage begins with the record, whenever that was.
        "since": None if stage.declared.since == BEGINNING else stage.declared.since.isoformat(),
        "hours": stage.hours,
        "jobs": stage.jobs,
        "in_shadow": stage.in_shadow,
        "share": asdict(stage.share) if stage.share else None,
        "mixes": [
            {"feature": mix.feature, "found": asdict(mix.found) if mix.found else None}
            for mix in stage.mixes
        ],
        "agreement": stage.agreement,
    }
