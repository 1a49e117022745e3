"""The confidence sequence after every job, for a chart; numpy only, no I/O.

Evaluated on a grid of means: a bound is the last rejected grid point, so it errs outward by at
most 1/GRID; the newest one is exact. Gates never read the grid, they keep their own exact state.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.betting import NODE_COUNT, betting_interval, factor_logs, log_mixture
from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    bounds_pair,
    check_alpha,
    check_count,
    weight_array,
)

GRID = 1000
EVERY = 1000
"""Up to so many jobs a drawn band has a point after every one…"""
STEP = 0.005
"""…and from there on after every so large a share more."""
_TABLES = 64
"""Most factor tables kept at once (256 kB each on the default grid)."""
_NEAR = 4
"""So many means of the grid on either side of the last bound are looked at first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """Bounds after each of some numbers of jobs, 1..n unless others were asked for."""

    low: FloatArray
    high: FloatArray
    running_low: FloatArray
    """Largest `low` so far."""
    running_high: FloatArray
    """Smallest `high` so far."""

    def shown(self) -> tuple[FloatArray, FloatArray]:
        """Running bounds where they are not empty, plain ones elsewhere."""
        fits = self.running_low <= self.running_high
        return (
            np.where(fits, self.running_low, self.low),
            np.where(fits, self.running_high, self.high),
        )


def drawn_after(n: int) -> list[int]:
    """After how many jobs a band of `n` jobs is drawn: rising, the last of them n.

    All but the last are the same whatever `n`, so that history redraws itself nowhere.
    """
    after = list(range(1, min(n, EVERY) + 1))
    while after and after[-1] < n:
        after.append(min(n, max(after[-1] + 1, math.ceil(after[-1] * (1.0 + STEP)))))
    return after


def betting_band(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    alpha_total: float,
    weights: npt.ArrayLike | None = None,
    grid: int = GRID,
    after: Sequence[int] | None = None,
) -> Band:
    """Interval after each prefix of the jobs; arguments as for `betting_interval`.

    after: only after so many jobs, rising and ending with all of them; the running bounds then are
    those over these, which is as valid and a little wider.

    The point at job n depends on the first n jobs only: history redraws itself nowhere but
    where a pending job settles.
    """
    worst, best = bounds_pair(low, high)
    check_alpha("alpha_total", alpha_total)
    grid = check_count("grid", grid, least=2)
    w = weight_array(weights, worst.size)
    level = math.log(2.0 / alpha_total)
    ends = range(1, worst.size + 1) if after is None else after
    if worst.size and (not ends or ends[-1] != worst.size):
        raise StatsInputError("after", f"must end with all {worst.size} jobs")
    lower = _grid_lower(worst, w, level, grid, ends)
    upper = 1.0 - _grid_lower(1.0 - best, w, level, grid, ends)
    if worst.size:
        lower[-1], upper[-1] = betting_interval(worst, best, alpha_total=alpha_total, weights=w)
    return Band(
        low=lower,
        high=upper,
        running_low=np.maximum.accumulate(lower),
        running_high=np.minimum.accumulate(upper),
    )


def _grid_lower(
    x: FloatArray, weights: FloatArray | None, level: float, grid: int, ends: Sequence[int]
) -> FloatArray:
    means: FloatArray = np.arange(1, grid) / grid
    state: FloatArray = np.zeros((grid - 1, NODE_COUNT))
    # A complex number orders by (x, weight).
    kinds, index, counts = np.unique(
        x + 1j * (1.0 if weights is None else weights), return_inverse=True, return_counts=True
    )
    jobs: list[int] = index.tolist()
    common = {int(kind) for kind in np.argsort(-counts)[:_TABLES] if counts[kind] > 1}
    tables: dict[int, FloatArray] = {}
    lower: FloatArray = np.zeros(len(ends))
    begin = rejected = 0
    for i, end in enumerate(ends):
        # Sorted, so that the sum does not depend on the order within a step.
        for kind, times in sorted(Counter(jobs[begin:end]).items()):
            logs = tables.get(kind)
            if logs is None:
                logs = factor_logs(kinds[kind].real, means, kinds[kind].imag)
                if kind in common:
                    tables[kind] = logs
            state += logs if times == 1 else times * logs
        begin = end
        rejected = _rejected(state, level, rejected)
        lower[i] = rejected / grid
    return lower


def _rejected(state: FloatArray, level: float, before: int) -> int:
    """How many means of the grid are rejected: the first ones, since evidence falls in m.

    before: how many it was a step ago, which a step seldom changes by much.
    """
    begin, end = max(before - _NEAR, 0), min(before + _NEAR, len(state))
    near = log_mixture(state[begin:end]) >= level
    if (begin == 0 or near[0]) and (end == len(state) or not near[-1]):
        return begin + int(near.sum())
    return bisect_left(
        range(len(state)), True, key=lambda mean: float(log_mixture(state[mean])) < level
    )
