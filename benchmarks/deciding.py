"""Who says GO to a system that is not good enough: gates watched all week, and a canary judge.

First: a gate of "at least 95 %", looked at after each of 3,000 jobs of a system at 94.5 %, beside
the raw rate and Wilson's interval. Then: what Kayenta's rule for one metric and a gate of ours say
after 50, 200 and 500 jobs. The measure is who is right, not who is fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.kayenta import Label, classify
from harness.stats.checks import FloatArray
from harness.stats.drift import drift_alarm
from harness.stats.paired import no_slower
from harness.stats.simulation import (
    RHO,
    SIZES,
    Decided,
    correlated_weeks,
    watch_betting,
    watch_raw_rate,
    watch_wilson,
)

SEED = 20262
ALPHA = 0.05
N_MIN = 30

M = 0.95
TRUTH = 0.945
WATCHED_JOBS = 3_000
WATCHED_RUNS = 1_000

LOOKS = (50, 200, 500)
JUDGED_RUNS = 200
ENOUGH_SUCCESS = 0.98
SLOWER = 1.1
"""The gate: the median job may take at most so many times as long, by pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system that agrees in 94.5 % of its submissions, averaged over all of its jobs."""

    title: str
    rate: Callable[[int], float | FloatArray]
    """True agreement per job, of so many jobs."""
    rho: float = 0.0
    sizes: tuple[int, ...] = (1,)
    covered: bool = True
    """Whether the promise covers it: its true agreement is never above the threshold."""


def _wave(jobs: int) -> FloatArray:
    return TRUTH + 0.005 * np.sin(2.0 * np.pi * np.arange(jobs) / 500.0)


def _early(jobs: int) -> FloatArray:
    return np.where(np.arange(jobs) < jobs // 6, TRUTH + 0.02, TRUTH - 0.004)


SYSTEMS = (
    System(title="a job is one submission", rate=lambda _: TRUTH),
    System(
        title="jobs of 50 to 500 submissions, rho 0.3", rate=lambda _: TRUTH, rho=RHO, sizes=SIZES
    ),
    System(title="one submission, drifting between 94.0 and 95.0 %", rate=_wave),
    System(
        title="one submission, 96.5 % in the first sixth, then 94.1 %", rate=_early, covered=False
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Share of runs that were ever told GO though 95 % is not reached, per way of looking."""

    system: System
    ever: dict[str, float]
    stands: float
    """Share that our gate passed and that its drift alarm has not taken back by the end."""


def watch(*, runs: int = WATCHED_RUNS, jobs: int = WATCHED_JOBS, seed: int = SEED) -> list[Watched]:
    """Every system, looked at after every job from job 30 on."""
    told = []
    for number, system in enumerate(SYSTEMS):
        weeks = correlated_weeks(
            np.random.default_rng([seed, number]),
            weeks=runs,
            jobs=jobs,
            rate=system.rate(jobs),
            rho=system.rho,
            sizes=system.sizes,
        )
        x, ones = weeks.fractions, np.ones_like(weeks.sizes)
        gate = watch_betting(x, M, alpha=ALPHA, alpha_fail=ALPHA, n_min=N_MIN)
        ways = {
            "our gate": gate,
            "Wilson, jobs": watch_wilson(x, ones, M, alpha_total=ALPHA, n_min=N_MIN),
            "Wilson, submissions": watch_wilson(
                weeks.agreeing, weeks.sizes, M, alpha_total=ALPHA, n_min=N_MIN
            ),
            "raw rate": watch_raw_rate(x, M, n_min=N_MIN),
        }
        passed = np.flatnonzero(gate.go > 0)
        alarmed = [drift_alarm(x[run], M, since=int(gate.go[run])) for run in passed]
        told.append(
            Watched(
                system=system,
                ever={name: float((way.go > 0).mean()) for name, way in ways.items()},
                stands=sum(alarm is None for alarm in alarmed) / runs,
            )
        )
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What both say of one candidate, per number of jobs, as shares of the runs."""

    title: str
    good: bool
    """Whether a pass is right."""
    kayenta: dict[int, dict[str, float]]
    ours: dict[int, dict[str, float]]


def judge(*, runs: int = JUDGED_RUNS, seed: int = SEED) -> list[Judged]:
    """Every candidate, by Kayenta's rule at one look and by our gate watched after every job."""
    made = []
    for number, (size, rate) in enumerate(
        ((100, 0.005), (100, 0.03), (1, 0.005), (1, 0.03)), start=10
    ):
        rng = np.random.default_rng([seed, number])
        old, new = (_errors(rng, runs, size, share) for share in (0.005, rate))
        gate = watch_betting(1.0 - new, ENOUGH_SUCCESS, alpha=ALPHA, alpha_fail=ALPHA, n_min=N_MIN)
        what = "share of failed submissions per job of 100" if size > 1 else "failed jobs, 0 or 1"
        made.append(_judged(f"{what}: 0.5 % → {percent(rate, 1)}", rate < 0.02, old, new, gate))
    for number, factor in enumerate((1.0, 1.2, 1.5), start=20):
        old, new = _durations(np.random.default_rng([seed, number]), runs, factor)
        x = np.stack([no_slower(a, b, factor=SLOWER)[0] for a, b in zip(old, new, strict=True)])
        gate = watch_betting(x, 0.5, alpha=ALPHA, alpha_fail=ALPHA, n_min=N_MIN)
        made.append(_judged(f"duration: {factor:g} times as long", factor == 1.0, old, new, gate))
    nothing = np.full((runs, max(LOOKS)), np.nan)
    # A missing value is no job, so there is none for a gate to look at.
    gate = watch_betting(
        np.zeros((runs, 0)), ENOUGH_SUCCESS, alpha=ALPHA, alpha_fail=ALPHA, n_min=N_MIN
    )
    for replace in (False, True):
        title = "no data at all" + (", missing values replaced" if replace else "")
        made.append(_judged(title, False, nothing, nothing, gate, replace))
    return made


def _errors(rng: np.random.Generator, runs: int, size: int, rate: float) -> FloatArray:
    return rng.binomial(size, rate, (runs, max(LOOKS))) / size


def _durations(rng: np.random.Generator, runs: int, factor: float) -> tuple[FloatArray, FloatArray]:
    """The same jobs on both sides: they differ much between jobs and little between runs."""
    shape = (runs, max(LOOKS))
    job = 60.0 * np.exp(0.8 * rng.standard_normal(shape))
    old, new = (job * np.exp(0.2 * rng.standard_normal(shape)) for _ in range(2))
    return old, factor * new


def _judged(
    title: str,
    good: bool,
    old: FloatArray,
    new: FloatArray,
    gate: Decided,
    replace_nan: bool = False,
) -> Judged:
    kayenta, ours = {}, {}
    for n in LOOKS:
        labels = [
            classify(a[:n], b[:n], replace_nan=replace_nan) for a, b in zip(old, new, strict=True)
        ]
        kayenta[n] = {str(label): labels.count(label) / len(labels) for label in Label}
        # A gate that has failed stays failed, whatever it says in favour.
        failed = (gate.no_go > 0) & (gate.no_go <= n)
        passed = (gate.go > 0) & (gate.go <= n) & ~failed
        ours[n] = {
            "pass": float(passed.mean()),
            "fail": float(failed.mean()),
            "open": float((~passed & ~failed).mean()),
        }
    return Judged(title=title, good=good, kayenta=kayenta, ours=ours)


def watched_table(rows: list[Watched]) -> str:
    """The first table as Markdown."""
    names = list(rows[0].ever)
    lines = [
        f"| ever told GO at a true {percent(TRUTH, 1)}; at most {percent(ALPHA, 0)} is promised | "
        + " | ".join(names)
        + " | our GO still stands at the end |",
        "|---" * (len(names) + 2) + "|",
    ]
    for row in rows:
        shares = " | ".join(percent(row.ever[name], 1) for name in names)
        note = "" if row.system.covered else " (above the threshold for a time: no promise)"
        lines.append(f"| {row.system.title}{note} | {shares} | {percent(row.stands, 1)} |")
    return "\n".join(lines)


def judged_table(rows: list[Judged]) -> str:
    """The second table as Markdown."""
    lines = [
        "| candidate | a pass is | "
        + " | ".join(f"{who} passes, n = {n}" for who in ("Kayenta", "ours") for n in LOOKS)
        + f" | at n = {LOOKS[-1]}: Kayenta High; ours fail |",
        "|---" * (3 + 2 * len(LOOKS)) + "|",
    ]
    for row in rows:
        passes = [percent(row.kayenta[n][Label.PASS], 0) for n in LOOKS]
        passes += [percent(row.ours[n]["pass"], 0) for n in LOOKS]
        theirs, ours = row.kayenta[LOOKS[-1]], row.ours[LOOKS[-1]]
        last = f"{percent(theirs[Label.HIGH], 0)}; {percent(ours['fail'], 0)}"
        right = "right" if row.good else "wrong"
        lines.append(f"| {row.title} | {right} | {' | '.join(passes)} | {last} |")
    return "\n".join(lines)


def percent(share: float, digits: int) -> str:
    """A share as the tables print it."""
    return f"{100.0 * share:.{digits}f} %"


def run() -> None:
    """Print both tables."""
    print(watched_table(watch()))
    print(judged_table(judge()))
