"""Whether a field differs more often than two runs of one and the same program do. No I/O.

Noise is how often a field differs between two runs of the same program (an A/A run). A difference
counts as signal only if the *excess*, the mean over jobs of "share that differs minus share that is
noise", is proved to be above a tolerance: an interval of the excess, never the difference of two
point estimates.

The excess of a job lies in [-1, 1], so (1 + excess) / 2 lies in [0, 1] and
`harness.stats.betting` bounds its mean at every look at once. Beside it stands Newcombe's hybrid
score interval for one planned look, in which the two rates are not paired.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from harness.assessment import Estimate, Interval
from harness.model import IntervalKind
from harness.stats.betting import betting_interval, headline_interval
from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    bounds_pair,
    check_alpha,
    check_count,
    check_share,
    same_length,
    unit_array,
)
from harness.stats.estimates import ALPHA_TOTAL, BETTING, estimate_by_job, settled
from harness.stats.fixed import wilson

FAMILY_ALPHA = 0.01
"""Chance that any of the rows that are looked at together is called signal though none is."""
NOISE_LIMIT = 0.20
"""A field whose noise may be larger than this cannot be compared: its silence says nothing."""
N_MIN = 30
"""Fewer jobs decide nothing."""


class NoiseVerdict(StrEnum):
    """What can be said of one field."""

    SIGNAL = "signal"
    """It differs more often than noise explains."""
    WITHIN_NOISE = "within_noise"
    """It is not proved to differ more often than noise explains."""
    TOO_NOISY = "too_noisy"
    """Its noise may be above the limit: that no excess is proved says nothing."""
    TOO_FEW_JOBS = "too_few_jobs"
    """Fewer jobs than decide have both a comparison and an A/A run."""
    NOISE_UNKNOWN = "noise_unknown"
    """No job has an A/A run of it; nothing is subtracted."""
    NOT_COMPARED = "not_compared"
    """No job has a comparison of it, only A/A runs."""

    @property
    def judged(self) -> bool:
        """Whether the field could be compared at all."""
        return self in (NoiseVerdict.SIGNAL, NoiseVerdict.WITHIN_NOISE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldShares:
    """One field, one value per job in the control's order; every array has shape (n,)."""

    raw_low: FloatArray
    """Share of the job's submissions that differ; those still pending do not."""
    raw_high: FloatArray
    """The same if all that are pending will differ."""
    noise: FloatArray
    """Share that differs between the two runs of one program."""
    has_raw: npt.NDArray[np.bool_]
    """Where raw_low and raw_high mean anything."""
    has_noise: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Mean over jobs of the share that differs less the share that is noise, in [-1, 1]."""

    value: float | None
    """None while every job with both is still pending."""
    n: int
    """Jobs with both."""
    headline: Interval
    label: Interval
    """Of the difference between both rates, each over all of its own jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNoise:
    """What is known of one field and its noise."""

    raw: Estimate
    noise: Estimate
    excess: Excess | None
    """None where no job has both."""
    verdict: NoiseVerdict
    too_noisy: bool
    """Whether the noise may be above the limit, whatever the verdict."""


def alpha_per_row(alpha: float, rows: int) -> float:
    """The share of `alpha` that each of `rows` verdicts may spend (Bonferroni).

    Any dependence between the rows is allowed, and a row's verdict depends on its own data and on
    how many rows there are, on nothing else: interval and verdict cannot contradict each other.
    """
    return check_alpha("alpha", alpha) / max(1, check_count("rows", rows))


def excess_interval(
    raw: npt.ArrayLike,
    noise: npt.ArrayLike,
    raw_high: npt.ArrayLike | None = None,
    *,
    alpha_total: float,
) -> tuple[float, float]:
    """Confidence sequence for the mean excess after all jobs, in [-1, 1].

    raw, noise: shape (n,), of the same jobs in their order, each in [0, 1]. raw_high: the largest
    that raw may still become; None: all settled. n = 0 gives (-1, 1).
    Raises StatsInputError naming the argument that is outside its domain.
    """
    return _mapped_back(betting_interval(*_mapped(raw, raw_high, noise), alpha_total=alpha_total))


def newcombe(s1: float, n1: int, s2: float, n2: int, *, alpha_total: float) -> tuple[float, float]:
    """Newcombe's hybrid score interval for s1/n1 - s2/n2 of unpaired samples, for one look.

    s1, s2: successes, may be fractional; n1, n2 at least 1. Newcombe 1998, method 10.
    """
    n1, n2 = check_count("n1", n1, least=1), check_count("n2", n2, least=1)
    low1, high1 = wilson(s1, n1, alpha_total=alpha_total)
    low2, high2 = wilson(s2, n2, alpha_total=alpha_total)
    p1, p2 = s1 / n1, s2 / n2
    return (
        p1 - p2 - math.hypot(p1 - low1, high2 - p2),
        p1 - p2 + math.hypot(high1 - p1, p2 - low2),
    )


def judge_field(
    shares: FieldShares,
    *,
    alpha: float,
    tolerance: float = 0.0,
    noise_limit: float = NOISE_LIMIT,
    n_min: int = N_MIN,
    alpha_total: float = ALPHA_TOTAL,
) -> FieldNoise:
    """Rates, excess and verdict of one field.

    alpha: of this row alone, one-sided; see `alpha_per_row`. tolerance: an excess up to this share
    is no signal. alpha_total: of the intervals of both rates, both sides.
    An excess is proved whatever the noise, so signal comes before too noisy.
    Raises StatsInputError naming the argument that is outside its domain.
    """
    check_share("tolerance", tolerance)
    check_share("noise_limit", noise_limit)
    _check(shares)
    raw = estimate_by_job(
        shares.raw_low[shares.has_raw],
        shares.raw_high[shares.has_raw],
        alpha_total=alpha_total,
        n_min=n_min,
    )
    noise = estimate_by_job(shares.noise[shares.has_noise], alpha_total=alpha_total, n_min=n_min)
    too_noisy = noise.n > 0 and noise.headline.high > noise_limit
    excess = _excess(shares, raw, noise, alpha_total=2.0 * alpha, n_min=n_min)
    if not shares.has_raw.any():
        verdict = NoiseVerdict.NOT_COMPARED
    elif excess is None:
        verdict = NoiseVerdict.NOISE_UNKNOWN
    elif excess.n < n_min:
        verdict = NoiseVerdict.TOO_FEW_JOBS
    elif excess.headline.low > tolerance:
        verdict = NoiseVerdict.SIGNAL
    elif too_noisy:
        verdict = NoiseVerdict.TOO_NOISY
    else:
        verdict = NoiseVerdict.WITHIN_NOISE
    return FieldNoise(raw=raw, noise=noise, excess=excess, verdict=verdict, too_noisy=too_noisy)


def _excess(
    shares: FieldShares, raw: Estimate, noise: Estimate, *, alpha_total: float, n_min: int
) -> Excess | None:
    both = shares.has_raw & shares.has_noise
    if not both.any():
        return None
    low, high = shares.raw_low[both], shares.raw_high[both]
    ends = _mapped_back(
        headline_interval(
            *_mapped(low, high, shares.noise[both]), alpha_total=alpha_total, n_min=n_min
        )
    )
    # Where nothing has settled, only the bounds say something.
    known = low + (1.0 - high) > 0.0
    seen = settled(low, high) - shares.noise[both][known]
    label = (
        newcombe(raw.value * raw.n, raw.n, noise.value * noise.n, noise.n, alpha_total=alpha_total)
        if raw.value is not None and noise.value is not None
        else (-1.0, 1.0)
    )
    return Excess(
        value=float(seen.mean()) if seen.size else None,
        n=int(both.sum()),
        headline=_interval(ends, alpha_total, IntervalKind.HEADLINE, BETTING),
        label=_interval(label, alpha_total, IntervalKind.LABEL, "Newcombe"),
    )


def _mapped(
    raw: npt.ArrayLike, raw_high: npt.ArrayLike | None, noise: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Worst and best case of (1 + excess) / 2 per job."""
    worst, best = bounds_pair(raw, raw_high)
    base = unit_array("noise", noise)
    same_length("noise", base, "raw", worst)
    return (1.0 + (worst - base)) / 2.0, (1.0 + (best - base)) / 2.0


def _mapped_back(ends: tuple[float, float]) -> tuple[float, float]:
    return 2.0 * ends[0] - 1.0, 2.0 * ends[1] - 1.0


def _interval(
    ends: tuple[float, float], alpha_total: float, kind: IntervalKind, method: str
) -> Interval:
    return Interval(low=ends[0], high=ends[1], alpha_total=alpha_total, kind=kind, method=method)


def _check(shares: FieldShares) -> None:
    for name in ("raw_high", "noise", "has_raw", "has_noise"):
        array = getattr(shares, name)
        if array.shape != shares.raw_low.shape:
            raise StatsInputError(
                name, f"has shape {array.shape}, raw_low has {shares.raw_low.shape}"
            )
