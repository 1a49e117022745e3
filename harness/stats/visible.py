"""How rare a fault may be and still be seen by so much evidence; no I/O.

A description of the evidence for one planned look; it decides nothing. Jobs are independent, the
submissions of one job are not, so evidence is counted in jobs: a fault that hits a share of jobs
shows in each job that it hits with the stated detection probability.
"""

from __future__ import annotations

import math

from harness.stats.checks import check_alpha, check_count, check_share
from harness.stats.fixed import zero_failure_bound


def smallest_visible_rate(n: int, *, detection: float, alpha: float) -> float | None:
    """Smallest share of jobs that a fault must hit to be seen in `n` jobs at least once.

    Seen with probability 1 - alpha: (1 - r s)^n = alpha, so r = (1 - alpha^(1/n)) / s, the bound
    after zero failures (rule of three: Hanley & Lippman-Hand 1983) divided by the detection
    probability s. None where not even a fault in every job would be seen so surely.
    Raises StatsInputError unless detection is in [0, 1] and alpha in (0, 1).
    """
    n = check_count("n", n)
    check_alpha("alpha", alpha)
    detection = check_share("detection", detection)
    bound = zero_failure_bound(n, alpha=alpha)
    return bound / detection if n and 0.0 < bound <= detection else None


def chance_to_see(n: int, *, rate: float, detection: float) -> float:
    """Probability that a fault in a share `rate` of jobs shows at least once in `n` jobs.

    1 - (1 - rate * detection)^n. Raises StatsInputError unless both are in [0, 1].
    """
    n = check_count("n", n)
    shown = check_share("rate", rate) * check_share("detection", detection)
    if n == 0 or shown == 0.0:
        return 0.0
    return 1.0 if shown == 1.0 else -math.expm1(n * math.log1p(-shown))
