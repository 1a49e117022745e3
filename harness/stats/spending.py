"""The error that each attempt of a new candidate version may spend. No I/O.

Each version starts a new sequence at E = 1. Trying versions until one gets GO inflates the chance
that a version which misses the threshold does; spending alpha over the attempts keeps the chance
of any false GO, over all attempts that there will ever be, at alpha.
"""

from __future__ import annotations

from harness.stats.checks import check_alpha, check_count


def alpha_of_attempt(alpha: float, attempt: int) -> float:
    """alpha / (k (k + 1)) for attempt k = 1, 2, ...; over all attempts it sums to alpha.

    Raises StatsInputError unless alpha is in (0, 1) and attempt a whole number above 0.
    """
    k = check_count("attempt", attempt, least=1)
    return check_alpha("alpha", alpha) / (k * (k + 1))
