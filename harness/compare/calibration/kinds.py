"""The kinds of faults that are planted in pairs: what each changes, and where it applies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import polars as pl

from harness.compare.calibration.texts import FAULTS, INNOCENT, TextChange
from harness.compare.kinds import VALUE_FIELDS
from harness.model import LIVE, ErrorClass, Side

SLOW_MS = 900_000.0
"""A quarter of an hour for one directory, which takes under two minutes."""
LATENCY = "latency_s"
NewValue: TypeAlias = pl.Expr | str | int | float | None
Columns: TypeAlias = Mapping[str, NewValue]


class Effect(StrEnum):
    """What a change means, whatever the rules say."""

    CHANGES = "changes"
    """Something else happened or was sent: it has to become a difference."""
    INNOCENT = "innocent"
    """The same in other words: it must not become one."""
    UNJUDGED = "unjudged"
    """The comparison does not claim to judge this; planted to say so, and not part of the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of planted fault."""

    id: str
    field: str
    """The compared field in which it has to show."""
    fault: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKind(Kind):
    """A change of one side's row. Expressions of `where` are over pairs, of `columns` over rows.

    where: may use `silent_dropped`, `silent_begun`, `silent_without_control` and `control_silent`,
    which say whether the silence that the change makes is overdue.
    """

    side: Side
    where: pl.Expr
    columns: Columns = field(default_factory=dict)
    drop: bool = False


_LIVE = pl.col("mode") == LIVE
_SUBMITTED = (pl.col("control_outcome") == "submitted") & pl.col("candidate_outcome").is_in(
    ["submitted", "skipped"]
)
_FAILED = (pl.col("control_outcome") == "failed") & (pl.col("candidate_outcome") == "failed")
_TIMED = _LIVE & pl.col("candidate_duration_ms").is_not_null()
_SAME_CLASS = pl.col("control_error_class") == pl.col("candidate_error_class")

ERROR_TEXTS: dict[str, str] = {
    ErrorClass.REFUSED: "No success indicators found on final page",
    ErrorClass.TIMEOUT: "Step execution failed: Page.goto: Timeout 30000ms exceeded.",
    ErrorClass.NAVIGATION: "Step execution failed: Page.goto: net::ERR_NAME_NOT_RESOLVED",
    ErrorClass.SELECTOR_MISSING: "Step execution failed: no element matches #submit-btn",
    ErrorClass.CAPTCHA: "Step execution failed: covered by a captcha challenge",
    ErrorClass.CONFIG: "Failed to get submission plan",
    ErrorClass.CRASH: "Step execution failed: Target closed",
    ErrorClass.UNKNOWN: "asyncio.run() cannot be called from a running event loop",
}
"""A text of the candidate for each class; ``sql/sources/error_classes.sql`` agrees."""


def _failed(raw: str, error: ErrorClass, text: str | None, attempts: int = 1) -> Columns:
    return {"outcome": "failed", "raw_status": raw, "error_class": error.value, "error_text": text,
            "attempts": attempts, "finals": 0}  # fmt: skip


def _outcome(
    name: str,
    fault: str,
    side: Side,
    where: pl.Expr,
    columns: Columns | None = None,
    *,
    effect: Effect = Effect.CHANGES,
) -> RowKind:
    return RowKind(
        id=f"outcome.{name}", field="outcome", fault=fault, effect=effect, side=side, where=where,
        columns=columns or {}, drop=columns is None,
    )  # fmt: skip


_UNFINISHED: dict[str, NewValue] = {
    "outcome": "in_flight", "raw_status": "submitting", "finished_at": None, "error_class": None,
    "error_text": None, "duration_ms": None, "finals": 0,
}  # fmt: skip
_SUCCESS: dict[str, NewValue] = {
    "outcome": "submitted", "raw_status": "submitted", "error_class": None, "error_text": None,
    "finals": 1,
}  # fmt: skip
_CANDIDATE, _CONTROL = Side.CANDIDATE, Side.CONTROL
_TIMEOUT = ERROR_TEXTS[ErrorClass.TIMEOUT]

_OUTCOMES = (
    _outcome("failed", "the candidate failed what the control submitted", _CANDIDATE, _SUBMITTED,
             _failed("failed", ErrorClass.REFUSED, None)),
    _outcome("error", "the candidate gave up after its last attempt", _CANDIDATE,
             _LIVE & _SUBMITTED, _failed("error", ErrorClass.TIMEOUT, _TIMEOUT, 4)),
    _outcome("no_profile", "the candidate found no business profile", _CANDIDATE,
             _LIVE & _SUBMITTED,
             _failed("error_no_profile", ErrorClass.CONFIG, "no business profile")),
    _outcome("submitted", "the candidate says submitted where the control failed", _CANDIDATE,
             _FAILED, _SUCCESS),
    _outcome("skipped", "the candidate skips as done what failed", _CANDIDATE,
             _LIVE & _FAILED, _SUCCESS | {"outcome": "skipped", "raw_status": "skipped_duplicate"}),
    _outcome("unfinished", "the candidate began and never ended", _CANDIDATE,
             _LIVE & pl.col("silent_begun"), _UNFINISHED),
    _outcome("dropped", "every row of the candidate is missing", _CANDIDATE,
             _LIVE & pl.col("silent_dropped")),
    _outcome("control_failed", "the control failed what the candidate submitted", _CONTROL,
             _SUBMITTED, _failed("failed", ErrorClass.REFUSED, "AI predicted submission failed.")),
    _outcome("control_submitted", "the control submitted what the candidate failed", _CONTROL,
             _FAILED, _SUCCESS),
    _outcome("control_unfinished", "the control began and never ended", _CONTROL,
             _LIVE & pl.col("control_silent"), _UNFINISHED),
    _outcome("control_dropped", "the row of the control is missing", _CONTROL,
             _LIVE & pl.col("silent_without_control")),
    _outcome("duplicate", "the candidate skips what it had submitted", _CANDIDATE,
             _LIVE & _SUBMITTED, {"outcome": "skipped", "raw_status": "skipped_duplicate"},
             effect=Effect.INNOCENT),
    _outcome("control_approved", "the control says approved for submitted", _CONTROL, _SUBMITTED,
             {"raw_status": "approved"}, effect=Effect.INNOCENT),
    _outcome("control_rejected", "the control says rejected for failed", _CONTROL, _FAILED,
             {"raw_status": "rejected"}, effect=Effect.INNOCENT),
    _outcome("failed_as_error", "the candidate says error for failed", _CANDIDATE,
             _LIVE & _FAILED, {"raw_status": "error", "attempts": 4}, effect=Effect.INNOCENT),
)  # fmt: skip
_ERRORS = tuple(
    RowKind(
        id=f"error.{name}", field="error", effect=Effect.CHANGES, side=_CANDIDATE,
        fault=f"the candidate failed for another reason: {name}",
        where=_FAILED & _SAME_CLASS & (pl.col("control_error_class") != name),
        columns={"error_class": name, "error_text": text},
    )
    for name, text in ((str(error), text) for error, text in ERROR_TEXTS.items())
)  # fmt: skip
_OTHERS = (
    RowKind(
        id="error.wording", field="error", effect=Effect.INNOCENT, side=_CANDIDATE,
        fault="the same reason in other words",
        where=_FAILED & _SAME_CLASS & (pl.col("control_error_class") != ErrorClass.UNKNOWN.value),
        columns={"error_text": pl.col("error_class").replace_strict(
            {str(error): text for error, text in ERROR_TEXTS.items()}, default=None)},
    ),
    RowKind(
        id="latency_s.slow", field=LATENCY, effect=Effect.CHANGES, side=_CANDIDATE,
        fault="the candidate takes a quarter of an hour", where=_TIMED,
        columns={"duration_ms": SLOW_MS},
    ),
    RowKind(
        id="latency_s.jitter", field=LATENCY, effect=Effect.INNOCENT, side=_CANDIDATE,
        fault="the candidate takes a tenth longer",
        columns={"duration_ms": pl.col("duration_ms") * 1.1},
        where=_TIMED & (pl.col("candidate_duration_ms") < 60_000),
    ),
)  # fmt: skip

ROW_KINDS: tuple[RowKind, ...] = (*_OUTCOMES, *_ERRORS, *_OTHERS)


def _value_kind(name: str, change: TextChange, effect: Effect) -> Kind:
    return Kind(
        id=f"values.{name}.{change.name}", field=f"values.{name}", effect=effect,
        fault=f"{name}: {change.fault}",
    )  # fmt: skip


VALUE_KINDS: dict[str, tuple[Kind, TextChange]] = {
    kind.id: (kind, change)
    for effect, changes in ((Effect.CHANGES, FAULTS), (Effect.INNOCENT, INNOCENT))
    for change in changes
    for kind in (_value_kind(name, change, effect) for name in change.fields)
}
"""Changes of a value that depend on nothing but the value."""
MIXED_UP = {
    name: Kind(id=f"values.{name}.mixed_up", field=f"values.{name}", effect=Effect.CHANGES,
               fault=f"{name}: that of another customer")
    for name in VALUE_FIELDS
}  # fmt: skip
LEFT_OUT = {
    name: Kind(id=f"values.{name}.left_out", field=f"values.{name}", effect=Effect.UNJUDGED,
               fault=f"{name}: the candidate does not fill it in")
    for name in VALUE_FIELDS
}  # fmt: skip
KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        *ROW_KINDS, *(kind for kind, _ in VALUE_KINDS.values()), *MIXED_UP.values(),
        *LEFT_OUT.values(),
    )
}  # fmt: skip
"""Every kind that is planted in pairs, by id."""
