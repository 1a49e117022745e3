"""The pooled share of submissions as a ratio of totals over jobs: labels for one look. No I/O.

Both ways take the job as the unit, so they stay right where submissions of a job are correlated.
A binomial standard error over submissions does not.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.stats.checks import FloatArray, check_alpha, check_count, same_length, unit_array
from harness.stats.design_effect import job_sizes

RESAMPLES = 2000
SEED = 20250
FEWEST_JOBS = 20
"""Below that many jobs a percentile bootstrap says little."""
_CELLS = 2_000_000
"""Most resampled counts held at once (16 MB)."""


def pooled_share(fractions: npt.ArrayLike, sizes: npt.ArrayLike) -> float | None:
    """Agreeing submissions over all of them; None without any. Arguments as below."""
    x, counts = _jobs(fractions, sizes)
    return float((x * counts).sum() / counts.sum()) if x.size else None


def pooled_standard_error(fractions: npt.ArrayLike, sizes: npt.ArrayLike) -> float | None:
    """Ratio-estimator standard error: sqrt(k/(k-1) sum (a_i - R n_i)^2) / sum n_i (Kish 1965).

    fractions: agreeing share per job, shape (k,); sizes: submissions per job, shape (k,).
    None for fewer than two jobs.
    """
    x, counts = _jobs(fractions, sizes)
    if x.size < 2:
        return None
    total = float(counts.sum())
    off = counts * (x - float((x * counts).sum()) / total)
    return math.sqrt(x.size / (x.size - 1) * float((off**2).sum())) / total


def bootstrap_interval(
    fractions: npt.ArrayLike,
    sizes: npt.ArrayLike,
    *,
    alpha_total: float,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """Percentile interval of the pooled share over resampled jobs; None below FEWEST_JOBS.

    The seed is fixed and equal jobs are drawn together, so the same jobs in any order give the
    same interval.
    """
    x, counts = _jobs(fractions, sizes)
    tail = check_alpha("alpha_total", alpha_total) / 2.0
    resamples = check_count("resamples", resamples, least=1)
    if x.size < FEWEST_JOBS:
        return None
    kinds, times = np.unique(np.stack((x * counts, counts)), axis=1, return_counts=True)
    rng = np.random.default_rng(seed)
    shares: FloatArray = np.empty(resamples)
    step = max(1, _CELLS // times.size)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.multinomial(x.size, times / x.size, size=rows)
        agreeing, total = (drawn[:, None, :] * kinds).sum(axis=-1).T
        shares[start : start + rows] = agreeing / total
    low, high = np.quantile(shares, [tail, 1.0 - tail])
    return float(low), float(high)


def _jobs(fractions: npt.ArrayLike, sizes: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, counts = unit_array("fractions", fractions), job_sizes(sizes)
    same_length("sizes", counts, "fractions", x)
    return x, counts
