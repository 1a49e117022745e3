"""Plants known faults in what a journal holds and says which of them its criteria let through.

Reads the journal as of one moment and never writes to it. The journal is open while it is read and
not while faults are planted and judged, so that a recorder need not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import polars as pl

from harness import __version__
from harness.assess.comparing import Compared, compare_journal
from harness.assess.criteria import Criteria
from harness.assess.planted_events import EventMaterial, conditions, plant_events, read_events
from harness.compare.calibration.plan import plan
from harness.compare.calibration.rates import RateRun, at_rates
from harness.compare.calibration.run import run
from harness.compare.calibration.scoring import ENOUGH, RATES, Scores, scored
from harness.journal.reader import Reader

MUTATIONS = 10_000
Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is planted in: the recorded pairs as they were compared, and copies of events."""

    compared: Compared
    submissions: pl.DataFrame
    events: EventMaterial
    seed: int
    journal_id: str
    seq: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How much of what was planted the comparison and the findings caught."""

    scores: Scores
    runs: tuple[RateRun, ...]
    seed: int
    alpha: float
    """A visible rate is seen with probability 1 - alpha."""
    at_least: float
    """The score that was asked for."""
    pairs: int
    """Recorded pairs; `waiting` of them have no verdict yet, `differing` do not agree."""
    waiting: int
    differing: int
    journal_id: str
    seq: int
    as_of: datetime
    rules_version: str
    tool_version: str

    @property
    def sharp(self) -> bool | None:
        """Whether the comparison sees what it has to; None where there is nothing to plant in."""
        score = self.scores.score
        if score is None:
            return None
        return score >= self.at_least and not self.scores.blinding and not self.scores.false_alarms


def read_material(
    reader: Reader, criteria: Criteria, *, seed: int = 0, now: datetime | None = None
) -> Material:
    """Everything that a calibration needs of a journal, so that it need not stay open.

    now: the moment that is asked about, for rules that expire. Raises SettingsError for one that
    has.
    """
    compared = compare_journal(reader, criteria, now=now, keep_submissions=True)
    if compared.submissions is None:
        raise AssertionError("the submissions were to be kept")
    return Material(
        compared=compared,
        submissions=compared.submissions,
        events=read_events(reader, criteria, compared, seed=seed),
        seed=seed,
        journal_id=reader.journal_id(),
        seq=reader.as_of_seq,
        as_of=reader.as_of_time,
    )


def calibrate(
    material: Material,
    criteria: Criteria,
    *,
    mutations: int = MUTATIONS,
    rates: Sequence[float] = RATES,
    at_least: float = ENOUGH,
    progress: Progress = lambda _: None,
) -> Calibration:
    """Plant at least `mutations` faults, where the journal has places for so many.

    criteria: those that the material was read by. Same journal, moment, criteria and seed give the
    same result.
    """
    compared, submissions, seed = material.compared, material.submissions, material.seed
    comparison, asked = compared.comparison, conditions(compared, criteria)
    progress("planting faults in pairs")
    planned = plan(comparison, asked, mutations=mutations, seed=seed)
    progress("judging them by the rules")
    mutants = run(planned, comparison, submissions, compared.jobs, asked)
    progress("planting them at several rates")
    runs = at_rates(planned, comparison, submissions, compared.jobs, asked, rates, seed=seed)
    progress("planting faults in events")
    # What is seen in events proves nothing of a comparison that has compared nothing.
    of_events, places_of_events = (
        plant_events(material.events, criteria, compared) if mutants else ([], {})
    )
    alpha = criteria.alpha_total / 2
    verdicts = comparison.narrow["verdict_with_excluded"].to_list()
    return Calibration(
        scores=scored(
            [*mutants, *of_events], planned.places | places_of_events, alpha=alpha, rates=rates
        ),
        runs=runs,
        seed=seed,
        alpha=alpha,
        at_least=at_least,
        pairs=len(verdicts),
        waiting=verdicts.count("in_flight"),
        differing=len(verdicts) - verdicts.count("in_flight") - verdicts.count("agree"),
        journal_id=material.journal_id,
        seq=material.seq,
        as_of=material.as_of,
        rules_version=criteria.rules.digest,
        tool_version=__version__,
    )
