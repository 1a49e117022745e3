"""One more job into one gate, after few jobs and after a million, against the whole sequence again.

And the interval of 10,000 jobs against the floor: sorting them once. Both have a limit, which is
printed beside what was measured.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from benchmarks.measure import Ratio, compare, tell
from harness.stats.betting import betting_interval, log_e_plus
from harness.stats.checks import FloatArray
from harness.stats.gate_state import GateState, Levels

JOBS = 10_000
MANY_JOBS = 1_000_000
TAIL = 1_000
"""Jobs behind a pending one."""
LEVELS = Levels(m=0.95, alpha=0.05, alpha_fail=0.05)
JOB_LIMIT_S = 50e-6
INTERVAL_LIMIT_S = 50e-3


def shares(jobs: int) -> FloatArray:
    """Agreeing shares with at most 1,000 distinct values."""
    rng = np.random.default_rng(2025)
    return np.round(1 - rng.beta(0.5, 2, jobs), 3)


def after(jobs: int) -> GateState:
    """A gate that has seen so many jobs."""
    state = GateState(LEVELS)
    state.extend(shares(jobs))
    return state


def within(what: str, measured: Ratio, limit_s: float) -> None:
    """Print whether ours keeps its limit."""
    kept = "within" if measured.ours_s <= limit_s else "ABOVE"
    print(f"  {what}: {kept} the limit of {limit_s * 1000:g} ms")


def run() -> None:
    """Print the ratios and the limits."""
    few, many = after(100), after(MANY_JOBS)
    measured = compare(lambda: many.add(0.98), lambda: few.add(0.98), rounds=2_000)
    tell(f"one job into one gate, after {MANY_JOBS:,} jobs", "it", "after 100", measured)
    within("one job into one gate", measured, JOB_LIMIT_S)

    def one_more_and_drawn(state: GateState) -> None:
        state.add(0.98)
        state.headline()

    for state in (few, many):
        state.headline()
    measured = compare(
        lambda: one_more_and_drawn(many), lambda: one_more_and_drawn(few), rounds=200
    )
    tell(f"one job and the interval anew, after {MANY_JOBS:,} jobs", "it", "after 100", measured)

    x = shares(JOBS)
    state = after(JOBS)
    measured = compare(lambda: state.add(0.98), lambda: log_e_plus(x, LEVELS.m), rounds=200)
    tell(f"evidence after job {JOBS:,}", "adding one job", "recomputing all of them", measured)

    behind = after(JOBS)
    behind.add(0.0, 1.0)
    behind.extend(shares(TAIL))
    took = []
    for share in np.linspace(0.001, 0.4, 50):
        began = time.perf_counter()
        behind.settle(JOBS + 1, float(share), 1.0)
        _ = behind.best_plus
        took.append(time.perf_counter() - began)
    print(
        f"a pending job with {TAIL:,} behind it settles: {statistics.median(took) * 1000:.3g} ms, "
        f"median of {len(took)}"
    )

    measured = compare(lambda: betting_interval(x, alpha_total=0.10), lambda: np.sort(x))
    tell(
        f"interval of {JOBS:,} jobs with {np.unique(x).size} distinct values",
        "the betting confidence sequence", "sorting them", measured,
    )  # fmt: skip
    within("the interval", measured, INTERVAL_LIMIT_S)
