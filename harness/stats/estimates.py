"""Builds the estimates a person is shown: value, headline interval and label together. No I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.assessment import Estimate, Interval, Quantile
from harness.model import IntervalKind
from harness.stats.betting import headline_interval
from harness.stats.checks import FloatArray, StatsInputError, bounds_pair, real_array
from harness.stats.fixed import wilson
from harness.stats.quantiles import Distribution, cs_ranks, fixed_ranks

ALPHA_TOTAL = 0.10
"""Both sides of a drawn interval: twice the one-sided alpha of a gate, so that picture and
verdict cannot contradict each other."""
LARGEST_JOB = 500
"""Submissions of the largest package; declared in advance, as the pooled weights require."""
SHOWN_QUANTILES = (0.5, 0.95, 0.99)
BETTING = "betting confidence sequence"


def settled(low: npt.ArrayLike, high: npt.ArrayLike | None = None) -> FloatArray:
    """Agreeing share among the settled submissions, for each job that has any, shape (k,).

    A job of n submissions, a agreeing and p pending, stands as low = a/n, high = (a+p)/n.
    """
    worst, best = bounds_pair(low, high)
    known = worst + (1.0 - best)
    has = known > 0.0
    return np.minimum(worst[has] / known[has], 1.0)


def estimate_by_job(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    alpha_total: float = ALPHA_TOTAL,
    n_min: int = 1,
) -> Estimate:
    """Mean of job fractions: each customer order counts the same.

    low, high: shape (n,), worst and best case per job in the control's order.
    The value describes what has settled; the headline counts pending jobs at their worst on
    each side; the label is Wilson's interval as if each settled job were one trial.
    """
    worst, best = bounds_pair(low, high)
    seen = settled(worst, best)
    n = int(seen.size)
    total = float(seen.sum())
    return Estimate(
        value=total / n if n else None,
        n=n,
        unit="jobs",
        headline=_headline(
            headline_interval(worst, best, alpha_total=alpha_total, n_min=n_min), alpha_total
        ),
        label=_label(wilson(total, n, alpha_total=alpha_total), alpha_total),
    )


def whole_orders(
    low: npt.ArrayLike, high: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Worst and best case of "the whole order agrees" per job, for `estimate_by_job`; 0 or 1.

    One settled disagreement settles the order; it agrees only once nothing is pending.
    """
    worst, best = bounds_pair(low, high)
    return (worst == 1.0).astype(np.float64), (best == 1.0).astype(np.float64)


def estimate_by_submission(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None,
    sizes: npt.ArrayLike,
    *,
    largest_job: int = LARGEST_JOB,
    alpha_total: float = ALPHA_TOTAL,
    n_min: int = 1,
) -> Estimate:
    """Pooled share of submissions: each submission counts the same.

    sizes: shape (n,), compared and pending submissions per job, 1..largest_job.
    The headline weights jobs by size / largest_job; the label is Wilson's interval as if
    submissions were independent, which those of one job are not.
    Raises StatsInputError if a job is larger than `largest_job`.
    """
    worst, best = bounds_pair(low, high)
    counts = real_array("sizes", sizes)
    if counts.size != worst.size:
        raise StatsInputError("sizes", f"has {counts.size} values, low has {worst.size}")
    if counts.size and (counts.min() < 1.0 or counts.max() > largest_job):
        raise StatsInputError("sizes", f"holds values outside 1..{largest_job}")
    agreeing = float(np.rint(worst * counts).sum())
    n = round(float((np.rint(worst * counts) + np.rint((1.0 - best) * counts)).sum()))
    return Estimate(
        value=agreeing / n if n else None,
        n=n,
        unit="submissions",
        headline=_headline(
            headline_interval(
                worst,
                best,
                alpha_total=alpha_total,
                n_min=n_min,
                weights=counts / largest_job,
            ),
            alpha_total,
        ),
        label=_label(wilson(agreeing, n, alpha_total=alpha_total), alpha_total),
    )


def latency_quantiles(
    known: Distribution,
    *,
    ps: Sequence[float] = SHOWN_QUANTILES,
    alpha_total: float = ALPHA_TOTAL,
    jointly: bool = False,
) -> tuple[Quantile, ...]:
    """Percentiles of one latency with both kinds of bounds; None where no bound exists yet.

    Each percentile has its own alpha_total; jointly: they share it, so that all bounds hold at
    once (Bonferroni).
    """
    if jointly:
        alpha_total = alpha_total / max(1, len(ps))
    shown: list[Quantile] = []
    for p in ps:
        headline = known.bounds(p, cs_ranks, alpha_total)
        label = known.bounds(p, fixed_ranks, alpha_total)
        shown.append(
            Quantile(
                p=p,
                value_s=_finite(headline.value),
                low_s=_bound(headline.low),
                high_s=_finite(headline.high),
                label_low_s=_bound(label.low),
                label_high_s=_finite(label.high),
            )
        )
    return tuple(shown)


def _headline(ends: tuple[float, float], alpha_total: float) -> Interval:
    return Interval(
        low=ends[0],
        high=ends[1],
        alpha_total=alpha_total,
        kind=IntervalKind.HEADLINE,
        method=BETTING,
    )


def _label(ends: tuple[float, float], alpha_total: float) -> Interval:
    return Interval(
        low=ends[0],
        high=ends[1],
        alpha_total=alpha_total,
        kind=IntervalKind.LABEL,
        method="Wilson",
    )


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None


def _bound(seconds: float) -> float | None:
    return seconds if 0.0 < seconds < math.inf else None
