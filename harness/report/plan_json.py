"""A plan as JSON for scripts: a contract that may grow and never changes quietly."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from harness.plan.week import LossPlan, MeanPlan, Uncounted, WeekPlan

SCHEMA_VERSION = 1
_DIGITS = 6


def plan_json(plan: WeekPlan) -> str:
    """The plan as indented UTF-8 JSON with a final newline. Same plan, same bytes.

    Shares and chances lie in [0, 1]; days count from 0; what does not exist is null.
    """
    return json.dumps(plan_dict(plan), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def plan_dict(plan: WeekPlan) -> dict[str, Any]:
    """What `plan_json` writes, as plain values."""
    assumptions = plan.assumptions
    start = plan.schedule.start
    return {
        "schema_version": SCHEMA_VERSION,
        "start": start.isoformat() if start else None,
        "days": list(plan.days),
        "jobs_per_day": list(plan.schedule.jobs_per_day),
        "stages": [asdict(stage) for stage in plan.schedule.stages],
        "jobs_by_day": list(plan.jobs_by_day),
        "sizes": [{"submissions": n, "share": share} for n, share in assumptions.model.sizes],
        "rho": assumptions.model.rho,
        "sure": assumptions.sure,
        "runs": assumptions.runs,
        "seed": assumptions.seed,
        "gates_version": plan.gates_version,
        "gates": [{"counts": _counts(gate), **plain(asdict(gate))} for gate in plan.gates],
    }


def _counts(gate: MeanPlan | LossPlan | Uncounted) -> str:
    """What settles the gate: evidence over jobs, the first loss, or no number at all."""
    match gate:
        case MeanPlan():
            return "jobs"
        case LossPlan():
            return "losses"
        case Uncounted():
            return "nothing"


def plain(value: Any) -> Any:
    """`value` as JSON takes it: rounded, infinite and missing as null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value
