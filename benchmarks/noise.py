"""Which fields are called different, by Diffy's noise filter and by ours, with planted truth.

Fifty fields without any fault differ by chance, each at its own rate, and one more differs 5 points
more often than its noise of 30 %. Diffy's filter looks at three counts; ours at an interval of the
excess, at every job. The measure here is who is right, not who is fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.betting import NODES, log_mixture
from harness.stats.noise import FAMILY_ALPHA, N_MIN, alpha_per_row

CLEAN = 50
RATES = np.geomspace(0.005, 0.30, CLEAN)
"""Noise of the clean fields."""
FAULT_NOISE = 0.30
FAULT = 0.05
"""What the faulty field, the last one, differs more often."""
RUNS = 200
SEED = 20261
_RELATIVE = 0.20
_ABSOLUTE = 0.0003

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a job is."""

    title: str
    jobs: int
    size: int
    """Submissions of a job."""
    rho: float
    """How much alike submissions of one job are: a job has its own rate, in both of its runs."""


SCENARIOS = (
    Scenario(title="a job is one submission", jobs=1_000, size=1, rho=0.0),
    Scenario(title="a job is one submission", jobs=10_000, size=1, rho=0.0),
    Scenario(title="a job is 20 submissions, rho 0.1", jobs=1_000, size=20, rho=0.1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """Which of the fields a filter called different, shape (runs, fields), the faulty one last."""

    ever: Flags
    """At any look, from job 30 on."""
    at_end: Flags
    after: Counts
    """Jobs until it was first called so; 0 where it never was."""


def diffy_flags(raw: Counts, noise: Counts, total: int) -> Flags:
    """Diffy's filter: more raw differences than noise, 20 % relative and 0.03 % absolute."""
    excess = raw - noise
    return (excess > _RELATIVE * (raw + noise)) & (excess > _ABSOLUTE * total)


def differing(
    scenario: Scenario, rng: np.random.Generator, *, runs: int = RUNS
) -> tuple[Counts, Counts]:
    """The next job's differing submissions per run and field: compared, and between two runs."""
    rates = np.broadcast_to(np.append(RATES, FAULT_NOISE), (runs, CLEAN + 1))
    extra = np.append(np.zeros(CLEAN), FAULT)
    if scenario.rho:
        spread = 1.0 / scenario.rho - 1.0
        rates = rng.beta(rates * spread, (1.0 - rates) * spread)
    raw = rng.binomial(scenario.size, np.minimum(rates + extra, 1.0))
    return raw, rng.binomial(scenario.size, rates)


def simulate(scenario: Scenario, *, runs: int = RUNS, seed: int = SEED) -> tuple[Flagged, Flagged]:
    """Return what Diffy's filter and what ours flag, looking after every job."""
    rng = np.random.default_rng(seed)
    shape = (runs, CLEAN + 1)
    level = math.log(1.0 / alpha_per_row(FAMILY_ALPHA, CLEAN + 1))
    # "The mean of (1 + excess) / 2 is at most 1/2" bets c * excess on each job.
    excesses = np.arange(-scenario.size, scenario.size + 1) / scenario.size
    factors = np.log1p(excesses[:, None] * NODES)
    wealth = np.zeros((*shape, NODES.size))
    raw, noise = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    theirs, ours = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    now = np.zeros(shape, dtype=bool)
    for job in range(1, scenario.jobs + 1):
        more, again = differing(scenario, rng, runs=runs)
        raw += more
        noise += again
        wealth += factors[more - again + scenario.size]
        if job < N_MIN:
            continue
        now = diffy_flags(raw, noise, job * scenario.size)
        theirs[now & (theirs == 0)] = job
        # The mean of the wealth can only be that large where the largest is.
        near = (ours == 0) & (wealth.max(axis=-1) >= level)
        if near.any():
            at = np.nonzero(near)
            hit = log_mixture(wealth[at]) >= level
            ours[at[0][hit], at[1][hit]] = job
    return (
        Flagged(ever=theirs > 0, at_end=now, after=theirs),
        # What has once been proved stays so.
        Flagged(ever=ours > 0, at_end=ours > 0, after=ours),
    )


def table(scenario: Scenario, diffy: Flagged, ours: Flagged) -> str:
    """The figures of one scenario as a Markdown table."""
    lines = [
        f"| {scenario.title}; {scenario.jobs:,} jobs | a clean field is called different: runs "
        "with any | field-runs | 5 points more under 30 % noise: found | after how many jobs "
        "(median, 90 %) |",
        "|---|---|---|---|---|",
    ]
    for name, flags, after in (
        ("Diffy's filter, at the end", diffy.at_end, None),
        ("Diffy's filter, watched", diffy.ever, diffy.after),
        ("ours, watched", ours.ever, ours.after),
    ):
        clean, fault = flags[:, :CLEAN], flags[:, CLEAN]
        when = "" if after is None else _when(after[:, CLEAN])
        lines.append(
            f"| {name} | {clean.any(axis=1).mean():.1%} | {clean.mean():.2%} | {fault.mean():.1%} "
            f"| {when} |"
        )
    return "\n".join(lines)


def _when(after: Counts) -> str:
    found = after[after > 0]
    if not found.size:
        return "never"
    middle, late = np.quantile(found, [0.5, 0.9])
    return f"{middle:,.0f}, {late:,.0f}"


def run() -> None:
    """Print the table of every scenario."""
    for scenario in SCENARIOS:
        print(table(scenario, *simulate(scenario)))
