"""Arranges figures for the page: rows, bars and words, ready to be printed. Pure.

Judges nothing and computes no statistic; what it shows is what the assessment holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.assessment import (
    Agreement,
    Assessment,
    Breakdown,
    CalibratedKind,
    CalibrationTable,
    Estimate,
    Finding,
    Latency,
)
from harness.gates.shown import share
from harness.gates.wording import percent_up
from harness.model import Severity
from harness.report import mending
from harness.report.bars import Bar, Dumbbell, common_scale, dumbbell, interval_bar
from harness.report.wording import bound, headline, label, span

MOST_DIFFERENCES = 200
MOST_EVIDENCE = 5
_SEVERITIES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One agreement figure, drawn, with both of its intervals in words."""

    title: str
    note: str
    value: str
    bar: Bar | None
    headline: str
    label: str
    evidence: str
    decides: bool


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
class SuccessRow:
    """One directory, kind of site or size of package."""

    name: str
    submissions: int
    agreeing: str
    old: str
    new: str
    drawn: Dumbbell
    lost: int
    """Submissions that the old system made and the new one did not, net; negative for a gain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One kind of planted fault of the calibration."""

    field: str
    fault: str
    share: str
    counts: str
    least: str
    """The smallest rate that this much evidence shows."""
    missed: bool


def figures(agreement: Agreement) -> tuple[tuple[Figure, ...], tuple[str, str]]:
    """Every way of counting agreement on one scale, and the words at the ends of that scale."""
    fresh = agreement.fresh
    found: list[tuple[str, str, Estimate, bool]] = [
        ("By job", "each order counts the same", agreement.by_job, fresh is None)
    ]
    if fresh is not None:
        why = agreement.fresh_why or "jobs created after the youngest rule that changes a verdict"
        found.append(("By job, fresh", why, fresh, True))
    found.append(("By job, without rules", "raw words as they are", agreement.without_rules, False))
    if agreement.with_excluded is not None:
        found.append(
            (
                "By job, with the pairs that rules set apart",
                "as if no rule set a pair apart",
                agreement.with_excluded,
                False,
            )
        )
    found.append(
        ("By submission", "each directory counts the same", agreement.by_submission, False)
    )
    scale = common_scale(one.headline.low for _, _, one, _ in found if one.value is not None)
    rows = tuple(
        Figure(
            title=title,
            note=note,
            value=share(one.value),
            bar=None if one.value is None else interval_bar(one.value, one.headline, None, scale),
            headline=headline(one),
            label=label(one.label, one.n),
            evidence=f"{one.n:,} {one.unit}",
            decides=decides,
        )
        for title, note, one, decides in found
    )
    return rows, (f"{100.0 * scale[0]:.0f} %", f"{100.0 * scale[1]:.0f} %")


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


def latency_words(one: Latency) -> str:
    """The percentiles of a measure in one sentence, for those who cannot see its chart."""
    pairs = zip(one.control, one.candidate, strict=True)
    told = [f"P{100.0 * old.p:g} {bound(old.value_s)} old, {bound(new.value_s)} new"
            for old, new in pairs]  # fmt: skip
    return (
        f"{'; '.join(told)}. {one.control_n:,} measured of the old, {one.candidate_n:,} of the new."
    )


def success_rows(found: Sequence[Breakdown], dimension: str) -> tuple[SuccessRow, ...]:
    """The rows of one dimension in the order of the assessment."""
    return tuple(
        SuccessRow(
            name=f"package of {one.name}" if dimension == "package_size" else one.name,
            submissions=one.submissions,
            agreeing=share(one.agreeing / one.submissions),
            old=share(one.control_submitted / one.submissions),
            new=share(one.candidate_submitted / one.submissions),
            drawn=dumbbell(
                one.control_submitted / one.submissions, one.candidate_submitted / one.submissions
            ),
            lost=one.control_submitted - one.candidate_submitted,
        )
        for one in found
        if one.dimension == dimension and one.submissions
    )


def calibrated_rows(table: CalibrationTable) -> tuple[Shown, ...]:
    """Every kind of planted fault, the worst seen first; then those that only much of shows."""

    def seen(one: CalibratedKind) -> tuple[float, float, str, str]:
        rate = math.inf if one.visible_rate is None else one.visible_rate
        return one.shown / max(1, one.planted), -rate, one.field, one.kind

    kinds = sorted(table.kinds, key=seen)
    return tuple(
        Shown(
            field=one.field,
            fault=one.fault,
            share=share(one.shown / one.planted if one.planted else None),
            counts=f"{one.shown:,} of {one.planted:,}",
            least="never" if one.visible_rate is None else percent_up(one.visible_rate),
            missed=one.shown < one.planted,
        )
        for one in kinds
    )


def listed_ids(assessment: Assessment) -> frozenset[str]:
    """Ids of the differences that are told one by one."""
    return frozenset(one.id for one in assessment.differences[:MOST_DIFFERENCES])


def examples(assessment: Assessment) -> dict[str, tuple[mending.Example, ...]]:
    """Per cluster id, its examples in words."""
    return mending.examples(assessment, listed_ids(assessment))


def findings(assessment: Assessment, cases: Sequence[int]) -> tuple[tuple[Finding, int], ...]:
    """Each finding with the number of its cases, the gravest first.

    cases: one number for each finding of the assessment, in its order; it may hold fewer cases than
    there are.
    """
    return tuple(
        sorted(
            zip(assessment.findings, cases, strict=True),
            key=lambda one: _SEVERITIES.index(one[0].severity),
        )
    )
