"""One more job into one gate, against doing the same for the whole sequence again.

And the interval of 10,000 jobs against the floor: sorting them once.
"""

from __future__ import annotations

import numpy as np

from benchmarks.measure import compare, tell
from harness.stats.betting import BettingState, betting_interval, log_e_plus

JOBS = 10_000


def run() -> None:
    """Print both ratios."""
    rng = np.random.default_rng(2025)
    x = np.round(1 - rng.beta(0.5, 12, JOBS), 3)
    state = BettingState(0.95)
    for value in x:
        state.add(float(value))
    measured = compare(lambda: state.add(0.98), lambda: log_e_plus(x, 0.95), rounds=200)
    tell(f"evidence after job {JOBS:,}", "adding one job", "recomputing all of them", measured)
    measured = compare(lambda: betting_interval(x, alpha_total=0.10), lambda: np.sort(x))
    tell(
        f"interval of {JOBS:,} jobs with {np.unique(x).size} distinct values",
        "the betting confidence sequence", "sorting them", measured,
    )  # fmt: skip
