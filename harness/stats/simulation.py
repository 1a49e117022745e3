"""Simulated shadow weeks, watched after every job: who decides what, and when. No I/O.

Chance comes in as a generator, so the same seed gives the same weeks. `tools/simulate-gates` makes
the tables of docs/statistics.md from it, and the tests hold the gates to them.

A week is a row, a job a column. Results are numbers of jobs, 0 where it never happened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.betting import NODES, log_mixture
from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    check_alpha,
    check_count,
    check_inner_share,
    check_share,
)
from harness.stats.fixed import wilson_bounds

SIZES = (50, 100, 300, 500)
"""Submissions of the packages on sale."""
RHO = 0.3
"""Correlation between submissions of one job."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weeks:
    """Jobs in the control's order; both arrays have shape (weeks, jobs)."""

    agreeing: FloatArray
    sizes: FloatArray
    """Submissions per job."""

    @property
    def fractions(self) -> FloatArray:
        """Agreeing share per job."""
        return self.agreeing / self.sizes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """The job at which each week would have been told GO and NO-GO; shape (weeks,), 0 if never."""

    go: IntArray
    no_go: IntArray

    def first(self) -> tuple[npt.NDArray[np.bool_], FloatArray]:
        """Whether the first word was GO, and the job at which it fell; infinite if none did."""
        go = np.where(self.go > 0, self.go, np.inf)
        no_go = np.where(self.no_go > 0, self.no_go, np.inf)
        return (go < no_go), np.minimum(go, no_go)


def correlated_weeks(
    rng: np.random.Generator,
    *,
    weeks: int,
    jobs: int,
    rate: float | FloatArray,
    rho: float = RHO,
    sizes: tuple[int, ...] = SIZES,
) -> Weeks:
    """Weeks whose jobs each have a rate of their own, beta-distributed around `rate`.

    rate: true agreement, in (0, 1); or one per job, shape (jobs,), for a rate that moves.
    rho: correlation of the submissions of one job, in [0, 1); 0 makes them independent.
    """
    shape = (check_count("weeks", weeks), check_count("jobs", jobs))
    mean = np.broadcast_to(np.asarray(rate, dtype=np.float64), shape)
    if not bool(((mean > 0.0) & (mean < 1.0)).all()):
        raise StatsInputError("rate", "is not everywhere in (0, 1)")
    if not sizes or min(sizes) < 1:
        raise StatsInputError("sizes", f"= {sizes!r} holds no submission, or a job without any")
    counts = rng.choice(np.asarray(sizes), shape)
    if check_share("rho", rho) == 1.0:
        raise StatsInputError("rho", "= 1 makes jobs of one submission; give sizes = (1,)")
    if rho > 0.0:
        spread = 1.0 / rho - 1.0
        mean = rng.beta(mean * spread, (1.0 - mean) * spread)
    return Weeks(
        agreeing=rng.binomial(counts, mean).astype(np.float64), sizes=counts.astype(np.float64)
    )


def by_completion(
    rng: np.random.Generator, x: FloatArray, *, agrees: float, fails: float
) -> FloatArray:
    """The jobs of each week in the order in which they *end*: the order that must not be used.

    x: 0 or 1 per job, shape (weeks, jobs). One job arrives per minute; agreeing ones take `agrees`
    minutes on average and failing ones `fails`, exponentially distributed.
    """
    ends = np.arange(x.shape[1]) + rng.exponential(np.where(x > 0.0, agrees, fails))
    return np.take_along_axis(x, np.argsort(ends, axis=1, kind="stable"), axis=1)


def watch_betting(
    x: FloatArray, m: float, *, alpha: float, alpha_fail: float, n_min: int
) -> Decided:
    """What a gate of "at least m" says, looked at after every job; x has shape (weeks, jobs)."""
    return Decided(
        go=first_crossings(x, m, alpha=alpha, n_min=n_min),
        no_go=first_crossings(1.0 - x, 1.0 - m, alpha=alpha_fail, n_min=n_min),
    )


def watch_wilson(
    agreeing: FloatArray, trials: FloatArray, m: float, *, alpha_total: float, n_min: int
) -> Decided:
    """The naive way: a fixed-sample interval made anew after every job, as if it were the first.

    GO where it lies above m, NO-GO where below. agreeing, trials: per job, shape (weeks, jobs).
    """
    low, high = wilson_bounds(
        np.minimum(np.cumsum(agreeing, axis=1), np.cumsum(trials, axis=1)),
        np.cumsum(trials, axis=1),
        alpha_total=alpha_total,
    )
    return Decided(go=_first(low > m, n_min), no_go=_first(high < m, n_min))


def watch_raw_rate(x: FloatArray, m: float, *, n_min: int) -> Decided:
    """What people do without statistics: GO once the mean so far is at least m. Never NO-GO."""
    mean = np.cumsum(x, axis=1) / np.arange(1, x.shape[1] + 1)
    return Decided(go=_first(mean >= m, n_min), no_go=np.zeros(x.shape[0], dtype=np.int64))


def first_crossings(x: FloatArray, m: float, *, alpha: float, n_min: int = 1) -> IntArray:
    """The first job of at least n_min with evidence >= 1/alpha that the mean is above m.

    `betting.first_prefix` of many sequences at once; x has shape (weeks, jobs).
    """
    level = -math.log(check_alpha("alpha", alpha))
    m = check_inner_share("m", m)
    n_min = check_count("n_min", n_min, least=1)
    found = np.zeros(x.shape[0], dtype=np.int64)
    open_ = np.arange(x.shape[0])
    wealth = np.zeros((x.shape[0], NODES.size))
    for job in range(1, x.shape[1] + 1):
        wealth += np.log1p((x[open_, job - 1] / m - 1.0)[:, None] * NODES)
        if job < n_min:
            continue
        # The mean of the wealth can only be that large where the largest is.
        hit = wealth.max(axis=1) >= level
        hit[hit] = log_mixture(wealth[hit]) >= level
        if hit.any():
            found[open_[hit]] = job
            open_, wealth = open_[~hit], wealth[~hit]
    return found


def allowed(alpha: float, runs: int) -> float:
    """An error rate of alpha, and three standard errors of a simulation of so many runs."""
    alpha, runs = check_alpha("alpha", alpha), check_count("runs", runs, least=1)
    return alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / runs)


def _first(hits: npt.NDArray[np.bool_], n_min: int) -> IntArray:
    hits = hits[:, n_min - 1 :]
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + n_min, 0).astype(np.int64)
