"""Ranks that bound a percentile at every look by a stitched boundary: a check only. No I/O.

p -+ f with f = 1.5 sqrt(p (1-p) l) + 0.8 l, l = (1.4 log log(2.1 n) + log(10/alpha)) / n, after
Howard & Ramdas 2022; the constants are not verified against the paper's text. The ranks of
`harness.stats.quantiles` are narrower and need no constants; these may never decide.
"""

from __future__ import annotations

import math

from harness.stats.checks import check_alpha, check_count, check_inner_share


def stitched_ranks(n: int, p: float, alpha_total: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the order statistics around the p-quantile; None where there is none."""
    n = check_count("n", n)
    p = check_inner_share("p", p)
    check_alpha("alpha_total", alpha_total)
    if n < 2:
        return None, None
    per_job = (1.4 * math.log(math.log(2.1 * n)) + math.log(10.0 / alpha_total)) / n
    reach = 1.5 * math.sqrt(p * (1.0 - p) * per_job) + 0.8 * per_job
    low, high = math.floor(n * (p - reach)) + 1, math.ceil(n * (p + reach))
    return low if low >= 1 else None, high if high <= n else None
