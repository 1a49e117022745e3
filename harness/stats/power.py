"""What a number of jobs can show, before they are run: the gates' own process on simulated jobs.

A simulated job is drawn from a declared truth; the evidence after it is that of
`harness.stats.betting`, looked at after every job, as a gate does. Chance comes from the generator
that the caller passes in, so a fixed seed gives the same answer. No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.betting import (
    best_prefix,
    factor_logs,
    log_mixture,
    prefix_log_e_minus,
    prefix_log_e_plus,
)
from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    check_alpha,
    check_count,
    check_inner_share,
    check_share,
    unit_array,
)

IntArray = npt.NDArray[np.int64]
_AT_ONCE = 1024
"""Jobs of all runs together that are worked on in one step; measured as the fastest."""
NEVER = 0
"""Stands for "not within the jobs that were simulated" where a number of a job is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobModel:
    """What is assumed of a job: its submissions, and how alike they fare."""

    sizes: tuple[tuple[int, float], ...] = ((1, 1.0),)
    """Submissions of a job, and the share of jobs that have so many; the shares add up to 1."""
    rho: float = 0.0
    """Correlation of two submissions of one job: 0 if they have nothing to do with one another,
    1 if a job fares as a whole."""

    def __post_init__(self) -> None:
        if not self.sizes:
            raise StatsInputError("sizes", "is empty")
        for size, share in self.sizes:
            check_count("size", size, least=1)
            check_share("share of a size", share)
        if not math.isclose(sum(share for _, share in self.sizes), 1.0, abs_tol=1e-9):
            raise StatsInputError("sizes", "has shares that do not add up to 1")
        check_share("rho", self.rho)


WHOLE_JOBS = JobModel()
"""Every job is one trial: it is within the limit or not, agrees or not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnJobs:
    """Simulated jobs: the value of run r's job i is `values[index[i, r]]`."""

    values: FloatArray
    index: npt.NDArray[np.int32]
    """Shape (jobs, runs)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passages:
    """When the evidence first sufficed, per run, in jobs from 1; `NEVER` if it did not."""

    passed_at: IntArray
    failed_at: IntArray

    def passed_by(self, n: int) -> float:
        """Share of runs that have passed and not failed after `n` jobs, in any order.

        A fall after a pass is the business of the drift alarm and is not simulated.
        """
        return float((_by(self.passed_at, n) & ~_by(self.failed_at, n)).mean())

    def failed_by(self, n: int) -> float:
        """Share of runs that have failed after `n` jobs."""
        return float(_by(self.failed_at, n).mean())

    def median_to_pass(self) -> int | None:
        """Jobs by which half of all runs have passed; None if fewer than half ever did."""
        return _median(self.passed_at)

    def median_to_fail(self) -> int | None:
        """Jobs by which half of all runs have failed; None if fewer than half ever did."""
        return _median(self.failed_at)


def draw_jobs(
    truth: float, *, model: JobModel, jobs: int, runs: int, generator: np.random.Generator
) -> DrawnJobs:
    """Draw `runs` sequences of `jobs` jobs whose mean share is `truth`.

    A job's own share is drawn from Beta(truth/theta, (1 - truth)/theta), theta = rho/(1 - rho);
    its successes are binomial given that (beta-binomial), so that two of its submissions have the
    correlation rho and the variance of a job's share is truth (1 - truth)(1 + (n - 1) rho)/n.
    """
    truth = check_share("truth", truth)
    shape = check_count("jobs", jobs), check_count("runs", runs, least=1)
    sizes = np.array([size for size, _ in model.sizes], dtype=np.int64)
    shares = np.array([share for _, share in model.sizes])
    which = generator.choice(sizes.size, size=shape, p=shares / shares.sum())
    theta: float | FloatArray = truth
    # A correlation so near an end that the Beta law cannot be drawn is that end.
    if 0.0 < truth < 1.0 and model.rho > 1e-9:
        spread = (1.0 - model.rho) / model.rho
        if spread < 1e-9:
            theta = (generator.random(shape) < truth).astype(np.float64)
        else:
            theta = generator.beta(truth * spread, (1.0 - truth) * spread, size=shape)
    successes = generator.binomial(sizes[which], theta)
    offsets = np.concatenate([[0], np.cumsum(sizes + 1)[:-1]])
    return DrawnJobs(
        values=np.concatenate([np.arange(size + 1) / size for size in sizes]),
        index=(offsets[which] + successes).astype(np.int32),
    )


def passages(
    drawn: DrawnJobs,
    *,
    m: float,
    alpha: float,
    alpha_fail: float,
    n_min: int,
    before: npt.ArrayLike = (),
) -> Passages:
    """When a gate "the mean is above m" passes and fails on each drawn sequence.

    Both evidences are looked at after every job from job `n_min` on. before: settled values of
    jobs that went before; they count in the evidence and in `n_min`, not in the number of the job,
    and evidence that sufficed among them gives 1, the first job that is looked at.
    """
    m = check_inner_share("m", m)
    n_min = check_count("n_min", n_min, least=1)
    seen = unit_array("before", before)
    level, level_fail = (
        -math.log(check_alpha("alpha", alpha)),
        -math.log(check_alpha("alpha_fail", alpha_fail)),
    )
    least = max(1, n_min - seen.size)
    plus = _crossings(drawn.values, drawn.index, m, level, least, seen)
    minus = _crossings(1.0 - drawn.values, drawn.index, 1.0 - m, level_fail, least, 1.0 - seen)
    if best_prefix(prefix_log_e_plus(seen, m), n_min=n_min).log_e >= level:
        plus[:] = 1
    if best_prefix(prefix_log_e_minus(seen, m), n_min=n_min).log_e >= level_fail:
        minus[:] = 1
    return Passages(passed_at=plus, failed_at=minus)


def size_of_gate(truth: float, m: float, *, alpha: float) -> float:
    """The order of jobs that no method can beat on average: log(1/alpha) / KL(truth, m) (Wald).

    For whole jobs; infinite where the truth is the threshold.
    """
    truth, m = check_share("truth", truth), check_inner_share("m", m)
    divergence = _term(truth, m) + _term(1.0 - truth, 1.0 - m)
    level = -math.log(check_alpha("alpha", alpha))
    return level / divergence if divergence > 0.0 else math.inf


def shares_of_sizes(counts: Mapping[int, int]) -> tuple[tuple[int, float], ...]:
    """Sizes with their shares, smallest first, from how many jobs have each."""
    total = sum(counts.values())
    return tuple((size, counts[size] / total) for size in sorted(counts) if counts[size])


def _crossings(
    x: FloatArray,
    index: npt.NDArray[np.int32],
    m: float,
    level: float,
    n_min: int,
    before: FloatArray,
) -> IntArray:
    """First job from `n_min` on after which the log evidence reaches `level`, per run."""
    gains = factor_logs(x, m, None)
    jobs, runs = index.shape
    at: IntArray = np.full(runs, NEVER, dtype=np.int64)
    open_runs = np.arange(runs)
    state = np.tile(factor_logs(before, m, None).sum(axis=0), (runs, 1))
    job = 0
    while job < jobs and open_runs.size:
        # Several jobs at once where few runs are open: numpy's own cost per call would prevail.
        chunk = max(1, _AT_ONCE // open_runs.size)
        states = np.cumsum(gains[index[job : job + chunk][:, open_runs]], axis=0) + state
        # A mean is never above its largest term, so only these few need the whole sum.
        near = states.max(axis=2) >= level
        near[: max(0, n_min - 1 - job)] = False
        if near.any():
            crossed = np.zeros_like(near)
            crossed[near] = log_mixture(states[near]) >= level
            hit = crossed.any(axis=0)
            at[open_runs[hit]] = job + 1 + crossed[:, hit].argmax(axis=0)
            open_runs = open_runs[~hit]
            states = states[:, ~hit]
        state = states[-1]
        job += chunk
    return at


def _term(p: float, q: float) -> float:
    return p * math.log(p / q) if p > 0.0 else 0.0


def _by(at: IntArray, n: int) -> npt.NDArray[np.bool_]:
    reached: npt.NDArray[np.bool_] = (at != NEVER) & (at <= n)
    return reached


def _median(at: IntArray) -> int | None:
    reached = np.sort(at[at != NEVER])
    half = (at.size + 1) // 2
    return int(reached[half - 1]) if reached.size >= half else None
