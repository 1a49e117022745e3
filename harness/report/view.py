"""Arranges an assessment for the page: rows, bars and words, ready to be printed. Pure.

Judges nothing and computes no statistic; what it shows is what the assessment holds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.assessment import Assessment, Difference, Estimate, GateResult, Latency
from harness.gates.shown import STATUS_WORDS, is_share, share
from harness.report.wording import (
    bound,
    headline,
    interval,
    label,
    span,
)

MOST_DIFFERENCES = 200
MOST_EVIDENCE = 5
BAR_WIDTH = 190
_BAR_EDGE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A drawn interval; positions in pixels from the left, inside BAR_WIDTH."""

    low: float
    high: float
    value: float | None
    threshold: float
    words: str
    """What the drawing says, for those who cannot see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One gate with its drawn interval, if it has one."""

    gate: GateResult
    word: str
    interval: str
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One agreement figure with both of its intervals in words."""

    title: str
    value: str
    headline: str
    label: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """One percentile of one measure, both sides."""

    measure: str
    first: bool
    """Whether it opens its measure."""
    rows: int
    counts: str
    p: str
    old: tuple[str, str, str]
    """Value, interval that always holds, interval of a single look."""
    new: tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A difference that stands for its cluster."""

    id: str
    text: str
    shown: bool
    """Whether the table of differences has it, so that it can be linked."""


def gate_row(gate: GateResult, scale: tuple[float, float]) -> GateRow:
    """The gate as a line of the first table."""
    return GateRow(
        gate=gate,
        word=STATUS_WORDS[gate.status],
        interval=interval(gate.interval),
        bar=_bar(gate, scale),
    )


def figures(assessment: Assessment) -> tuple[Figure, ...]:
    """Agreement by job, by submission, without rules and, if rules set pairs apart, with those."""
    agreement = assessment.agreement

    def figure(title: str, estimate: Estimate) -> Figure:
        return Figure(
            title=title,
            value=share(estimate.value),
            headline=headline(estimate),
            label=label(estimate.label, estimate.n),
            evidence=f"{estimate.n:,} {estimate.unit}",
        )

    shown = (
        figure("By job: each order counts the same", agreement.by_job),
        figure("By submission: each directory counts the same", agreement.by_submission),
        figure("By job, without rules: raw words as they are", agreement.without_rules),
    )
    if agreement.with_excluded is None:
        return shown
    return (*shown, figure("By job, with the pairs that rules set apart", agreement.with_excluded))


def latency_rows(latency: Sequence[Latency]) -> tuple[LatencyRow, ...]:
    """Every percentile of every measure, old beside new."""
    rows = []
    for one in latency:
        pairs = list(zip(one.control, one.candidate, strict=True))
        for position, (old, new) in enumerate(pairs):
            rows.append(
                LatencyRow(
                    measure=one.title,
                    first=position == 0,
                    rows=len(pairs),
                    counts=f"{one.control_n:,} old, {one.candidate_n:,} new",
                    p=f"P{100.0 * old.p:g}",
                    old=(
                        bound(old.value_s),
                        span(old.low_s, old.high_s),
                        span(old.label_low_s, old.label_high_s),
                    ),
                    new=(
                        bound(new.value_s),
                        span(new.low_s, new.high_s),
                        span(new.label_low_s, new.label_high_s),
                    ),
                )
            )
    return tuple(rows)


def examples(assessment: Assessment) -> dict[str, tuple[Example, ...]]:
    """Per cluster id, its examples in words."""
    known = {difference.id: difference for difference in assessment.differences}
    listed = {difference.id for difference in assessment.differences[:MOST_DIFFERENCES]}
    return {
        cluster.id: tuple(
            Example(id=each, text=_example(known.get(each), each), shown=each in listed)
            for each in cluster.examples
        )
        for cluster in assessment.clusters
    }


def gate_counts(assessment: Assessment) -> str:
    """``2 pass, 2 fail, 2 undecided, 2 open``."""
    counts = Counter(gate.status for phase in assessment.phases for gate in phase.gates)
    return ", ".join(
        f"{counts[status]} {word.lower()}"
        for status, word in STATUS_WORDS.items()
        if counts[status]
    )


def _bar(gate: GateResult, scale: tuple[float, float]) -> Bar | None:
    if not is_share(gate) or gate.interval is None or gate.threshold is None:
        return None
    start, end = scale
    room = BAR_WIDTH - 2 * _BAR_EDGE

    def place(value: float) -> float:
        inside = min(max(value, start), end)
        return round(_BAR_EDGE + room * (inside - start) / (end - start), 1)

    value = gate.value if gate.value is not None and math.isfinite(gate.value) else None
    middle = "" if value is None else f", value {share(value)}"
    return Bar(
        low=place(gate.interval.low),
        high=place(gate.interval.high),
        value=None if value is None else place(value),
        threshold=place(gate.threshold),
        words=f"Interval {interval(gate.interval)}{middle}, threshold {share(gate.threshold)}",
    )


def _example(difference: Difference | None, key: str) -> str:
    if difference is None:
        return key
    return f"{difference.directory}, job {difference.job_id[:8]}"
