"""What "no job was lost" says of the future, at every look at once; no I/O.

One confirmed loss fails its gate at once and needs no statistics.
"""

from __future__ import annotations

import math

from harness.stats.checks import check_alpha, check_count, check_inner_share
from harness.stats.counts import log_e_plus_counts, lower_bound_counts


def loss_rate_bound(n: int, *, alpha: float) -> float:
    """Anytime-valid upper bound of the loss rate after 0 losses in `n` jobs; 1 for n = 0."""
    n = check_count("n", n)
    level = -math.log(check_alpha("alpha", alpha))
    return 1.0 - lower_bound_counts(n, n, level=level)


def jobs_to_claim(rate: float, *, alpha: float) -> int:
    """Jobs without a loss after which the loss rate is below `rate`, at every look at once."""
    kept = 1.0 - check_inner_share("rate", rate)
    level = -math.log(check_alpha("alpha", alpha))
    short, enough = 0, 1
    while log_e_plus_counts(enough, enough, kept) < level:
        short, enough = enough, 2 * enough
    while enough - short > 1:
        middle = (short + enough) // 2
        if log_e_plus_counts(middle, middle, kept) >= level:
            enough = middle
        else:
            short = middle
    return enough
