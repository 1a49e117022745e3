"""Pairs side by side with personal values masked and changed characters marked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.assess.sides import FieldSides, PairSides
from harness.compare.kinds import LATENCY
from harness.compare.marks import Part, marked, parts
from harness.report.redact import DIFFERENT, is_personal, quotable, show_pair


def redact_sides(pairs: Sequence[PairSides]) -> tuple[PairSides, ...]:
    """The same pairs of one job, masked as a report masks its differences."""
    known = quotable(
        value
        for pair in pairs
        for one in pair.fields
        if is_personal(one.field)
        for value in (one.control_raw, one.candidate_raw, one.control_value, one.candidate_value)
    )
    return tuple(
        replace(pair, fields=tuple(_masked(one, known) for one in pair.fields)) for pair in pairs
    )


def changes(one: FieldSides) -> tuple[Part, ...]:
    """The pieces of both masked values after the rules.

    A sign for a letter that differs is never the same. A latency stands beside its ceiling, so
    there is nothing to align.
    """
    control, candidate = one.control_value or "", one.candidate_value or ""
    if one.field == LATENCY:
        return (Part(control, candidate, not one.differs),)
    return parts(control, candidate, never_same=DIFFERENT)


def change(field: str, control: str | None, candidate: str | None) -> str:
    """Two masked values after the rules as one text with marks; a latency with its ceiling."""
    if field == LATENCY:
        return f"{candidate} ({control})" if control else f"{candidate}"
    return marked(control or "", candidate or "", never_same=DIFFERENT)


def _masked(one: FieldSides, known: set[str]) -> FieldSides:
    raw = show_pair(one.control_raw, one.candidate_raw, field=one.field, known=known)
    value = show_pair(one.control_value, one.candidate_value, field=one.field, known=known)
    return replace(
        one,
        control_raw=raw[0],
        candidate_raw=raw[1],
        control_value=value[0],
        candidate_value=value[1],
    )
