"""How much the submissions of one job tell of each other. Descriptions only; no I/O.

Submissions of one job share the business, the time, the browser and the worker. Kish (1965).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.checks import FloatArray, StatsInputError, check_share, real_array, same_length


def intraclass_correlation(successes: npt.ArrayLike, sizes: npt.ArrayLike) -> float | None:
    """ANOVA estimate of rho, the correlation of two submissions of one job.

    successes, sizes: shape (k,), per job. May be negative; None where it is undefined: fewer than
    two jobs, every job of one submission, or no variation at all.
    Raises StatsInputError unless 0 <= successes <= sizes and every size is at least 1.
    """
    a, n = _counts(successes, sizes)
    k, total = a.size, float(n.sum())
    if k < 2 or total == k:
        return None
    ratio = float(a.sum()) / total
    x = a / n
    between = float((n * (x - ratio) ** 2).sum()) / (k - 1)
    within = float((n * x * (1.0 - x)).sum()) / (total - k)
    n0 = (total - float((n**2).sum()) / total) / (k - 1)
    variation = between + (n0 - 1.0) * within
    return (between - within) / variation if variation > 0.0 else None


def design_effect(
    sizes: npt.ArrayLike, *, rho: float, shares: npt.ArrayLike | None = None
) -> float:
    """By what factor submissions are worth less than independent ones.

    1 + ((1 + cv^2) mean - 1) rho, cv the population s.d. of the sizes over their mean.
    sizes: shape (k,), of every job; or each size once, with the shares of jobs that have it.
    """
    rho = check_share("rho", rho)
    n = real_array("sizes", sizes)
    if not n.size or bool((n < 1).any()):
        raise StatsInputError("sizes", "needs a size of at least 1 for every job")
    weights = None if shares is None else real_array("shares", shares)
    mean = float(np.average(n, weights=weights))
    # (1 + cv^2) mean = E[n^2] / E[n].
    return 1.0 + (float(np.average(n**2, weights=weights)) / mean - 1.0) * rho


def _counts(successes: npt.ArrayLike, sizes: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    a, n = real_array("successes", successes), real_array("sizes", sizes)
    same_length("successes", a, "sizes", n)
    if bool((n < 1).any()):
        raise StatsInputError("sizes", "needs a size of at least 1 for every job")
    if bool(((a < 0) | (a > n)).any()):
        raise StatsInputError("successes", "must lie between 0 and the size of the job")
    return a, n
