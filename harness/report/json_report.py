"""The assessment as JSON for scripts: a contract that may grow and never changes quietly.

Imports no driver and opens nothing. Same assessment, same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from harness.assessment import Assessment
from harness.report.redact import redact

SCHEMA_VERSION = 1


def to_json(assessment: Assessment) -> str:
    """The assessment as indented UTF-8 JSON with a final newline, personal values masked.

    Times are ISO 8601 in UTC, durations carry their unit in the key, shares lie in [0, 1]; a
    bound that does not exist is null, never NaN or Infinity. Gates are one flat list, each with
    its phase; a phase names its gates.
    """
    return json.dumps(to_dict(assessment), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_dict(assessment: Assessment) -> dict[str, Any]:
    """What `to_json` writes, as plain values."""
    shown = redact(assessment)
    agreement = plain(shown.agreement)
    agreement["verdicts"] = _counts(shown.agreement.verdicts)
    agreement["excluded"] = _counts(shown.agreement.excluded)
    coverage = plain(shown.coverage)
    coverage["replay_excluded"] = _counts(shown.coverage.replay_excluded)
    recording = plain(shown.recording)
    recording["by_kind"] = _counts(shown.recording.by_kind)
    return {
        "schema_version": SCHEMA_VERSION,
        "decision": shown.decision.value,
        "reason": shown.reason,
        "phases": [
            {
                "phase": phase.phase,
                "title": phase.title,
                "decision": phase.decision.value,
                "reason": phase.reason,
                "decides": phase.decides,
                "gates": [gate.gate for gate in phase.gates],
            }
            for phase in shown.phases
        ],
        "gates": [plain(gate) for phase in shown.phases for gate in phase.gates],
        "agreement": agreement,
        "latency": plain(shown.latency),
        "differences": plain(shown.differences),
        "clusters": plain(shown.clusters),
        "findings": plain(shown.findings),
        "coverage": coverage,
        "pairs": [
            {
                "mode": counts.mode,
                "pairs": counts.pairs,
                "verdicts": _counts(counts.verdicts),
                "excluded": _counts(counts.excluded),
            }
            for counts in shown.pairs
        ],
        "beside": plain(shown.beside),
        "rules": plain(shown.rules),
        "replays": plain(shown.replays),
        "recording": recording,
        "missing_parts": list(shown.missing_parts),
        "triage": plain(shown.triage),
        "statements": plain(shown.statements),
        "waivers": plain(shown.waivers),
        "marks": plain(shown.marks),
        "counterfactuals": plain(shown.counterfactuals),
        "calibration": plain(shown.calibration),
        "provenance": plain(shown.provenance),
    }


def iso_utc(moment: datetime) -> str:
    """``2026-11-23T08:30:00.420000Z``; always with microseconds, so that texts sort as times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _counts(pairs: tuple[tuple[str, int], ...]) -> dict[str, int]:
    return {str(key): count for key, count in pairs}


def plain(value: Any) -> Any:
    """Dataclasses, enums, times and tuples as what JSON knows; non-finite numbers as None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
