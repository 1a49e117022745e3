"""How much less the submissions of a job tell than independent ones would. Labels; no I/O.

Submissions of one job share the business, the time, the browser and the worker. With correlation
rho within jobs, the variance of a pooled share is larger by the design effect (Kish 1965).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    check_share,
    real_array,
    same_length,
    unit_array,
)


def design_effect(sizes: npt.ArrayLike, rho: float) -> float:
    """Variance of the pooled share over that of as many independent submissions, at least 1.

    sizes: submissions per job, shape (k,), each at least 1. rho: correlation within jobs, [0, 1].
    1 + (m - 1) rho for jobs of m each, else about 1 + ((1 + cv^2) mean - 1) rho, with cv the
    population standard deviation of the sizes over their mean. No job gives 1.
    """
    counts = job_sizes(sizes)
    rho = check_share("rho", rho)
    if not counts.size:
        return 1.0
    mean = float(counts.mean())
    spread = float(counts.var()) / mean**2
    return 1.0 + ((1.0 + spread) * mean - 1.0) * rho


def effective_size(sizes: npt.ArrayLike, rho: float) -> float:
    """As many independent submissions would tell as much; arguments as for `design_effect`."""
    return float(job_sizes(sizes).sum()) / design_effect(sizes, rho)


def intracluster_correlation(fractions: npt.ArrayLike, sizes: npt.ArrayLike) -> float | None:
    """ANOVA estimate of the correlation between submissions of one job.

    fractions: agreeing share per job, shape (k,), in [0, 1]; sizes: shape (k,), at least 1 each.
    May be negative; clip it at 0 for a design effect. None where it is undefined: fewer than two
    jobs, one submission in each, or no variation at all.
    """
    x, counts = unit_array("fractions", fractions), job_sizes(sizes)
    same_length("sizes", counts, "fractions", x)
    k, total = x.size, float(counts.sum())
    if k < 2 or total == k:
        return None
    pooled = float((counts * x).sum()) / total
    between = float((counts * (x - pooled) ** 2).sum()) / (k - 1)
    within = float((counts * x * (1.0 - x)).sum()) / (total - k)
    typical = (total - float((counts**2).sum()) / total) / (k - 1)
    spread = between + (typical - 1.0) * within
    return (between - within) / spread if spread > 0.0 else None


def job_sizes(sizes: npt.ArrayLike) -> FloatArray:
    """Return sizes as shape (k,); raise StatsInputError unless each is a whole number above 0."""
    counts = real_array("sizes", sizes)
    strange = np.flatnonzero((counts < 1.0) | (counts != np.floor(counts)) | np.isinf(counts))
    if strange.size:
        at = int(strange[0])
        raise StatsInputError("sizes", f"[{at}] = {counts[at]:g} is not a whole number above 0")
    return counts
