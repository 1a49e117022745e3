"""Betting confidence sequences for a mean in [0, 1]; numpy and scipy only, no I/O.

The evidence is the mixture of J fixed bets,

    E+_n(m) = (1/J) sum_j prod_{i<=n} (1 + c_j w_i (x_i/m - 1))     against "mean <= m"
    E-_n(m) = E+_n(1-m) on 1-x                                      against "mean >= m"

Under its hypothesis each factor is non-negative with expectation at most 1, so by Ville's
inequality P(E+ ever >= 1/alpha) <= alpha: at every look, in any number of looks. The nodes are
Chebyshev-Gauss nodes of the arcsine law (Cover & Ordentlich 1996; Waudby-Smith & Ramdas 2024);
any fixed nodes are valid, and these need no tuning by alpha.

Jobs stand in the control's order, one value each. A job that is still pending is given by its
worst and best case (`low`, `high`): evidence that the mean is high uses `low`, evidence that it
is low uses `high`. Leaving pending jobs out is not valid: failing jobs take longer, so those
that have finished look too good.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    bounds_pair,
    check_alpha,
    check_count,
    check_inner_share,
    check_share,
    unit_array,
    weight_array,
)
from harness.stats.remembered import remembered

NODE_COUNT = 32
NODES: FloatArray = np.sin(np.pi * (2 * np.arange(1, NODE_COUNT + 1) - 1) / (4 * NODE_COUNT)) ** 2
"""The bets c_j as shares of the largest fair bet 1/m, shape (J,)."""

SMALLEST_M = 1e-12
"""Left end of the search for a bound; a bound below it is reported as 0 (outward)."""
XTOL = 1e-12
"""Accuracy of a bound."""
_BLOCK = 4096
"""Runs of jobs per vectorised step over all prefixes: 1 MB instead of 512 MB for a million jobs."""


def log_mixture(node_logs: FloatArray) -> FloatArray:
    """Log of the mean over the last axis of exp(node_logs); the wealth itself may overflow."""
    top = node_logs.max(axis=-1, keepdims=True)
    mean: FloatArray = np.exp(node_logs - top).mean(axis=-1)
    total: FloatArray = top[..., 0] + np.log(mean)
    return total


def factor_logs(x: FloatArray, m: float | FloatArray, weights: FloatArray | None) -> FloatArray:
    """Log of one job's factor per node, shape (..., J); needs m > 0. Not validated."""
    gain = x / m - 1.0
    if weights is not None:
        gain = gain * weights
    logs: FloatArray = np.log1p(np.asarray(gain)[..., None] * NODES)
    return logs


def log_e_plus(x: npt.ArrayLike, m: float, weights: npt.ArrayLike | None = None) -> float:
    """Log evidence after all jobs against "the mean is at most m".

    x: shape (n,), each in [0, 1]; weights: shape (n,) in [0, 1], or None for 1 each.
    n = 0 gives 0; m = 0 gives infinity if any job is above 0, else 0.
    Raises StatsInputError naming the argument that is outside its domain.
    """
    values = unit_array("x", x)
    m = check_share("m", m)
    return _log_e(_first(_runs(values, weight_array(weights, values.size)), values.size), m)


def log_e_minus(x: npt.ArrayLike, m: float, weights: npt.ArrayLike | None = None) -> float:
    """Log evidence after all jobs against "the mean is at least m"; see `log_e_plus`."""
    return log_e_plus(1.0 - unit_array("x", x), 1.0 - check_share("m", m), weights)


def prefix_log_e_plus(
    x: npt.ArrayLike, m: float, weights: npt.ArrayLike | None = None
) -> FloatArray:
    """Log evidence against "the mean is at most m" after each job, shape (n,)."""
    values = unit_array("x", x)
    m = check_share("m", m)
    return _prefix_log_e(values, weight_array(weights, values.size), m)


def prefix_log_e_minus(
    x: npt.ArrayLike, m: float, weights: npt.ArrayLike | None = None
) -> FloatArray:
    """Log evidence against "the mean is at least m" after each job, shape (n,)."""
    return prefix_log_e_plus(1.0 - unit_array("x", x), 1.0 - check_share("m", m), weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPrefix:
    """The strongest evidence that any prefix of the jobs has given."""

    log_e: float
    """Minus infinity where no prefix is long enough."""
    n: int
    """Jobs in that prefix; the shortest one of equals."""


def best_prefix(log_e: FloatArray, *, n_min: int = 1) -> BestPrefix:
    """The maximum of per-prefix evidence over prefixes of at least `n_min` jobs."""
    n_min = check_count("n_min", n_min, least=1)
    if log_e.size < n_min:
        return BestPrefix(log_e=-math.inf, n=0)
    at = int(np.argmax(log_e[n_min - 1 :])) + n_min - 1
    return BestPrefix(log_e=float(log_e[at]), n=at + 1)


def first_prefix(log_e: FloatArray, level: float, *, n_min: int = 1) -> int | None:
    """Jobs in the first prefix of at least `n_min` with log evidence >= `level`, or None."""
    n_min = check_count("n_min", n_min, least=1)
    hits = np.flatnonzero(log_e[n_min - 1 :] >= level)
    return int(hits[0]) + n_min if hits.size else None


def rejects_at_most(x: npt.ArrayLike, m: float, level: float, *, n_min: int = 1) -> int | None:
    """After how many jobs, n_min or more, "the mean is at most m" is rejected; None: never.

    level: log evidence that it takes. The `first_prefix` of `prefix_log_e_plus`, but it looks no
    further than to where that is.
    """
    values, m = unit_array("x", x), check_share("m", m)
    n_min = check_count("n_min", n_min, least=1)
    if m <= 0.0:
        return first_prefix(_prefix_log_e(values, None, m), level, n_min=n_min)
    return _first_prefix(_runs(values, None, n_min), m, level, n_min)


def rejects_at_least(x: npt.ArrayLike, m: float, level: float, *, n_min: int = 1) -> int | None:
    """After how many jobs "the mean is at least m" is rejected; see `rejects_at_most`."""
    return rejects_at_most(1.0 - unit_array("x", x), 1.0 - check_share("m", m), level, n_min=n_min)


def betting_interval(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    alpha_total: float,
    weights: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """Confidence sequence for a mean after all jobs (the plain interval).

    low, high: shape (n,), worst and best case of each job; `high` None: all settled.
    alpha_total: error probability of both sides together. n = 0 gives (0, 1).
    Raises StatsInputError naming the argument that is outside its domain.
    """
    worst, best = bounds_pair(low, high)
    level = math.log(2.0 / check_alpha("alpha_total", alpha_total))
    w = weight_array(weights, worst.size)
    return _lower(worst, w, level), 1.0 - _lower(1.0 - best, w, level)


def running_interval(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    alpha_total: float,
    n_min: int = 1,
    weights: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """Intersection of the intervals after every prefix of at least `n_min` jobs.

    Its lower end is at least m exactly if some prefix rejects m, so it shows what a decision
    over all prefixes says. It may be empty (lower end above upper end): then the mean has
    moved, and the plain interval is the one to show.
    """
    worst, best = bounds_pair(low, high)
    level = math.log(2.0 / check_alpha("alpha_total", alpha_total))
    n_min = check_count("n_min", n_min, least=1)
    if worst.size < n_min:
        return 0.0, 1.0
    w = weight_array(weights, worst.size)
    return (
        _running_lower(worst, w, level, n_min),
        1.0 - _running_lower(1.0 - best, w, level, n_min),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The interval to show, and whether the mean has moved."""

    low: float
    high: float
    not_stationary: bool
    """The running intersection is empty: no single mean fits all prefixes, so it has moved, and
    the interval shown is the plain one."""


def headline_interval(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    alpha_total: float,
    n_min: int = 1,
    weights: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """The interval to show: running, or plain where that is empty or jobs are fewer than n_min."""
    shown = headline(low, high, alpha_total=alpha_total, n_min=n_min, weights=weights)
    return shown.low, shown.high


def headline(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    alpha_total: float,
    n_min: int = 1,
    weights: npt.ArrayLike | None = None,
) -> Headline:
    """As `headline_interval`, and says whether the running intersection is empty."""
    worst, best = bounds_pair(low, high)
    moved = False
    if worst.size >= check_count("n_min", n_min, least=1):
        lower, upper = running_interval(
            worst, best, alpha_total=alpha_total, n_min=n_min, weights=weights
        )
        if lower <= upper:
            return Headline(low=lower, high=upper, not_stationary=False)
        moved = True
    lower, upper = betting_interval(worst, best, alpha_total=alpha_total, weights=weights)
    return Headline(low=lower, high=upper, not_stationary=moved)


class BettingState:
    """Evidence for and against one threshold, one job at a time; equals the batch functions."""

    __slots__ = ("_m", "_minus", "_n_min", "_plus", "best_minus", "best_plus", "n")

    def __init__(self, m: float, *, n_min: int = 1) -> None:
        self._m = check_inner_share("m", m)
        self._n_min = check_count("n_min", n_min, least=1)
        self._plus: FloatArray = np.zeros(NODE_COUNT)
        self._minus: FloatArray = np.zeros(NODE_COUNT)
        self.n = 0
        self.best_plus = -math.inf
        """Largest log E+ over prefixes of at least n_min jobs."""
        self.best_minus = -math.inf
        """Largest log E- over prefixes of at least n_min jobs."""

    def add(self, low: float, high: float | None = None, *, weight: float = 1.0) -> None:
        """Count the next job by its worst and best case; `high` None: it has settled."""
        low = check_share("low", low)
        high = low if high is None else check_share("high", high)
        if low > high:
            raise StatsInputError("low", f"= {low!r} is above high = {high!r}")
        weight = check_share("weight", weight)
        self._plus += np.log1p(NODES * (weight * (low / self._m - 1.0)))
        self._minus += np.log1p(NODES * (weight * ((1.0 - high) / (1.0 - self._m) - 1.0)))
        self.n += 1
        if self.n >= self._n_min:
            self.best_plus = max(self.best_plus, self.log_e_plus)
            self.best_minus = max(self.best_minus, self.log_e_minus)

    @property
    def log_e_plus(self) -> float:
        """Log evidence against "the mean is at most m" after all jobs so far."""
        return float(log_mixture(self._plus))

    @property
    def log_e_minus(self) -> float:
        """Log evidence against "the mean is at least m" after all jobs so far."""
        return float(log_mixture(self._minus))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Groups:
    """Equal jobs counted together: the product does not depend on their order."""

    x: FloatArray
    weights: FloatArray | None
    counts: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """A sequence of jobs as runs of equal ones.

    Within a run log wealth per node is a line, and the log of a mean of exponentials of lines is
    convex: the evidence is largest at one of its ends.
    """

    x: FloatArray
    """Distinct jobs, ascending."""
    weights: FloatArray | None
    index: npt.NDArray[np.intp]
    """Which of them each run repeats, shape (r,)."""
    ends: npt.NDArray[np.intp]
    """Jobs up to the last one of each run, shape (r,)."""

    @property
    def lengths(self) -> npt.NDArray[np.intp]:
        """Jobs of each run, shape (r,)."""
        return np.diff(self.ends, prepend=0)


def _runs(x: FloatArray, weights: FloatArray | None, n_min: int = 1) -> _Runs:
    """The runs of a sequence; the `n_min`-th job is one by itself, so that none reaches over it."""
    begins = np.ones(x.size, dtype=np.bool_)
    begins[1:] = x[1:] != x[:-1]
    if weights is not None:
        begins[1:] |= weights[1:] != weights[:-1]
    begins[n_min - 1 : n_min + 1] = True
    return _runs_from(np.flatnonzero(begins), x, weights)


def _runs_from(begins: npt.NDArray[np.intp], x: FloatArray, weights: FloatArray | None) -> _Runs:
    ends = np.append(begins, x.size)[1:]
    if weights is None:
        values, index = np.unique(x[begins], return_inverse=True)
        return _Runs(x=values, weights=None, index=index, ends=ends)
    # A complex number orders by (x, weight), which finds equal pairs several times faster
    # than np.unique over rows.
    pairs, index = np.unique(x[begins] + 1j * weights[begins], return_inverse=True)
    return _Runs(x=pairs.real.copy(), weights=pairs.imag.copy(), index=index, ends=ends)


def _log_e(groups: _Groups, m: float) -> float:
    if groups.x.size == 0:
        return 0.0
    if m <= 0.0:
        return math.inf if bool(_positive(groups.x, groups.weights).any()) else 0.0
    # Summed by numpy rather than by a matrix product: the order of a BLAS sum depends on its
    # threads, and the same journal must give the same bytes.
    logs = factor_logs(groups.x, m, groups.weights)
    return float(log_mixture((logs * groups.counts[:, None]).sum(axis=0)))


def _prefix_log_e(x: FloatArray, weights: FloatArray | None, m: float) -> FloatArray:
    if m <= 0.0:
        return np.where(np.logical_or.accumulate(_positive(x, weights)), np.inf, 0.0)
    each = _runs_from(np.arange(x.size), x, weights)
    mixed = [log_mixture(wealth) for _, wealth in _wealth(each, m)]
    return np.concatenate(mixed) if mixed else np.zeros(0)


def _wealth(runs: _Runs, m: float) -> Iterator[tuple[slice, FloatArray]]:
    """Log wealth per node after each run, block by block: which runs, and shape (k, J)."""
    logs = factor_logs(runs.x, m, runs.weights)
    lengths = runs.lengths[:, None].astype(np.float64)
    carried: FloatArray = np.zeros(NODE_COUNT)
    for start in range(0, runs.index.size, _BLOCK):
        here = slice(start, start + _BLOCK)
        block = logs[runs.index[here]] * lengths[here]
        block[0] += carried
        wealth = np.cumsum(block, axis=0, out=block)
        carried = wealth[-1].copy()
        yield here, wealth


def _best_prefix(runs: _Runs, m: float, n_min: int) -> BestPrefix:
    """`best_prefix` of `_prefix_log_e` for m > 0, mixing only where the best may be.

    The mean over nodes is at most the largest of them, and that is dear to find out in logs.
    """
    best = BestPrefix(log_e=-math.inf, n=0)
    for here, wealth in _wealth(runs, m):
        ends = runs.ends[here]
        counted, ends = wealth[ends >= n_min], ends[ends >= n_min]
        if not ends.size:
            continue
        top = counted.max(axis=1)
        least = float(log_mixture(counted[np.argmax(top)]))
        near = np.flatnonzero(top >= max(least, best.log_e))
        if not near.size:
            continue
        mixed = log_mixture(counted[near])
        at = int(np.argmax(mixed))
        if mixed[at] > best.log_e:
            best = BestPrefix(log_e=float(mixed[at]), n=int(ends[near[at]]))
    return best


def _first_prefix(runs: _Runs, m: float, level: float, n_min: int) -> int | None:
    """`first_prefix` of `_prefix_log_e` for m > 0."""
    for here, wealth in _wealth(runs, m):
        near = np.flatnonzero((wealth.max(axis=1) >= level) & (runs.ends[here] >= n_min))
        hits = np.flatnonzero(log_mixture(wealth[near]) >= level) if near.size else near
        if hits.size:
            run = int(near[hits[0]])
            return _first_in_run(runs, here.start + run, wealth[run], m, level)
    return None


def _first_in_run(runs: _Runs, run: int, wealth: FloatArray, m: float, level: float) -> int:
    """The first job of a run after which m is rejected, as it is after its last, not before it.

    wealth: log wealth per node after its last job.
    """
    one = slice(runs.index[run], runs.index[run] + 1)
    weights = None if runs.weights is None else runs.weights[one]
    logs = factor_logs(runs.x[one], m, weights)[0]
    back = bisect_left(
        range(int(runs.lengths[run])),
        True,
        key=lambda jobs: float(log_mixture(wealth - jobs * logs)) < level,
    )
    return int(runs.ends[run]) - back + 1


def _positive(x: FloatArray, weights: FloatArray | None) -> npt.NDArray[np.bool_]:
    return x > 0.0 if weights is None else (x > 0.0) & (weights > 0.0)


@remembered
def _running_lower(x: FloatArray, weights: FloatArray | None, level: float, n_min: int) -> float:
    """The smallest mean that no prefix of at least `n_min` jobs rejects.

    Climbs from the bound of one prefix to that of the prefix which rejects it most. Two to four
    looks at all prefixes suffice, where a root search over their maximum takes about 14.
    """
    runs = _runs(x, weights, n_min)
    n = x.size
    m = _kept(_first(runs, n), level)
    while True:
        best = _best_prefix(runs, max(m, SMALLEST_M), n_min)
        if best.log_e < level or best.n == n:
            return m
        n = best.n
        higher = _kept(_first(runs, n), level)
        # Of prefixes whose bounds are equal to the last digits, either may look best.
        if higher <= m + XTOL:
            return max(m, higher)
        m = higher


def _lower(x: FloatArray, weights: FloatArray | None, level: float) -> float:
    return _kept(_first(_runs(x, weights), x.size), level)


def _first(runs: _Runs, n: int) -> _Groups:
    """The first n jobs of a sequence, equal ones together."""
    lengths = np.diff(np.minimum(runs.ends, n), prepend=0)
    counts = np.bincount(runs.index, weights=lengths, minlength=runs.x.size).astype(np.float64)
    here = counts > 0
    return _Groups(
        x=runs.x[here],
        weights=None if runs.weights is None else runs.weights[here],
        counts=counts[here],
    )


def _kept(groups: _Groups, level: float) -> float:
    return lowest_kept(lambda m: _log_e(groups, m) - level)


def lowest_kept(excess: Callable[[float], float]) -> float:
    """The smallest m that is not rejected; `excess` is log evidence minus level, falling in m."""
    if excess(SMALLEST_M) < 0.0:
        return 0.0
    return float(brentq(excess, SMALLEST_M, 1.0, xtol=XTOL, rtol=1e-14))
