"""The assessment as JSON for scripts: a contract that may grow and never changes quietly.

Imports no driver and opens nothing. Same assessment, same bytes. `schema` describes the shape.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from harness.assessment import (
    Agreement,
    Assessment,
    Coverage,
    PairCounts,
    PhaseResult,
    RecordingHealth,
)
from harness.report.redact import redact
from harness.report.since import Since

SCHEMA_VERSION = 1
COUNTS: frozenset[tuple[type, str]] = frozenset(
    {
        (Agreement, "verdicts"),
        (Agreement, "excluded"),
        (Coverage, "replay_excluded"),
        (PairCounts, "verdicts"),
        (PairCounts, "excluded"),
        (RecordingHealth, "by_kind"),
    }
)
"""Fields that hold (word, number) pairs and are written as objects."""
_ONE_A_LINE = frozenset({"differences", "evidence", "series"})
"""Lists that grow with the journal: a row a line keeps half a million of them writable."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_PLAIN = frozenset({str, int, bool, type(None)})


def to_json(assessment: Assessment, since: Since | None = None) -> str:
    """The assessment as indented UTF-8 JSON with a final newline, personal values masked.

    Times are ISO 8601 in UTC, durations carry their unit in the key, shares lie in [0, 1]; a
    bound that does not exist is null, never NaN or Infinity. Gates are one flat list, each with
    its phase; a phase names its gates. since: what changed since a former report, else null.
    """
    return "".join((*_written(_parts(redact(assessment), since), "", "\n"), "\n"))


def to_dict(assessment: Assessment, since: Since | None = None) -> dict[str, Any]:
    """What `to_json` writes, as plain values."""
    return {key: plain(value) for key, value in _parts(redact(assessment), since).items()}


def iso_utc(moment: datetime) -> str:
    """``2026-11-23T08:30:00.420000Z``; always with microseconds, so that texts sort as times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(value: Any) -> Any:
    """Dataclasses, enums, times and tuples as what JSON knows; non-finite numbers as None."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if is_dataclass(kind):
        return {
            name: _item(value, name, counts=counts, gates=gates)
            for name, counts, gates in _fields(kind)
        }
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


def _parts(shown: Assessment, since: Since | None) -> dict[str, Any]:
    """The top level in the order of the contract, not yet made plain."""
    return {
        "schema_version": SCHEMA_VERSION,
        "decision": shown.decision,
        "reason": shown.reason,
        "phases": shown.phases,
        "gates": [gate for phase in shown.phases for gate in phase.gates],
        "agreement": shown.agreement,
        "latency": shown.latency,
        "differences": shown.differences,
        "clusters": shown.clusters,
        "findings": shown.findings,
        "coverage": shown.coverage,
        "pairs": shown.pairs,
        "beside": shown.beside,
        "rules": shown.rules,
        "replays": shown.replays,
        "recording": shown.recording,
        "missing_parts": shown.missing_parts,
        "triage": shown.triage,
        "statements": shown.statements,
        "waivers": shown.waivers,
        "marks": shown.marks,
        "counterfactuals": shown.counterfactuals,
        "calibration": shown.calibration,
        "breakdown": shown.breakdown,
        "operations": shown.operations,
        "provenance": shown.provenance,
        "since": since,
    }


@cache
def _fields(kind: type) -> tuple[tuple[str, bool, bool], ...]:
    """Name of each field, whether it holds counts, and whether it holds a phase's gates."""
    return tuple(
        (item.name, (kind, item.name) in COUNTS, kind is PhaseResult and item.name == "gates")
        for item in fields(kind)
    )


def _item(value: Any, name: str, *, counts: bool, gates: bool) -> Any:
    item = getattr(value, name)
    if counts:
        return {str(key): number for key, number in item}
    if gates:
        return [gate.gate for gate in item]
    return plain(item)


def _written(value: Any, key: str, line: str) -> Iterator[str]:
    """`value` as indented JSON, piece by piece; line: the line break with the indent so far.

    Rows of the long lists become plain one by one, so that they need their memory one by one.
    """
    if key in _ONE_A_LINE and value:
        for number, row in enumerate(value):
            yield f"{',' if number else '['}{line}  {_text(plain(row))}"
        yield f"{line}]"
        return
    if is_dataclass(value) and not isinstance(value, type):
        value = {
            name: getattr(value, name)
            if name in _ONE_A_LINE
            else _item(value, name, counts=counts, gates=gates)
            for name, counts, gates in _fields(type(value))
        }
    if isinstance(value, Mapping) and value:
        for number, (name, item) in enumerate(value.items()):
            yield f"{',' if number else '{'}{line}  {_text(name)}: "
            yield from _written(item, name, f"{line}  ")
        yield f"{line}}}"
    elif isinstance(value, list | tuple) and value:
        for number, item in enumerate(value):
            yield f"{',' if number else '['}{line}  "
            yield from _written(item, "", f"{line}  ")
        yield f"{line}]"
    else:
        yield _text(plain(value))


def _text(value: Any) -> str:
    return _ENCODER.encode(value)
