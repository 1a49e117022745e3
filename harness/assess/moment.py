"""Reads all that one moment of a journal says, and finds what only the journal can tell.

Whoever looks again and again keeps a recorder out of the journal as long as it is open, so this
part is all that needs it; what is weighed from it (see `build`) needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from harness import __version__
from harness.assess.calibration_noted import calibration_table
from harness.assess.comparing import Compared, compare_journal
from harness.assess.criteria import Criteria
from harness.assess.eras import Eras, eras
from harness.assess.evidence import EvidenceOf
from harness.assess.gaps import RecordedGap, recorded_gaps
from harness.assess.health import replay_exclusions, replay_progress
from harness.assess.in_force import InForce, in_force
from harness.assess.operations import operations
from harness.assess.said import statements, waivers
from harness.assess.sample import in_sample
from harness.assess.sequences import Fates, count_fates, with_fate
from harness.assess.triaged import triages
from harness.assessment import (
    CalibrationTable,
    Finding,
    Operations,
    Provenance,
    ReplayProgress,
    RuleEffect,
    Statement,
    Triage,
    Waiver,
)
from harness.compare.comparison import rule_effects
from harness.gates.wording import counted
from harness.journal.findings import detect
from harness.journal.first_met import FirstMet
from harness.journal.reader import Reader
from harness.model import JOURNAL_SCHEMA_VERSION, LIVE, Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """What was read of a moment, and what follows from it at once."""

    compared: Compared
    jobs: pl.DataFrame
    """``select_jobs`` with `fate`, in the control's order."""
    fates: Fates
    effects: tuple[RuleEffect, ...]
    findings: tuple[Finding, ...]
    evidence: EvidenceOf
    gaps: tuple[RecordedGap, ...]
    replays: tuple[ReplayProgress, ...]
    replay_exclusions: tuple[tuple[str, int], ...]
    """Reason and number."""
    statements: tuple[Statement, ...]
    waivers: tuple[Waiver, ...]
    triages: tuple[Triage, ...]
    """Every label that counts, whether or not its cluster is still there."""
    era: Eras
    force: InForce
    operations: Operations
    calibration: CalibrationTable | None
    provenance: Provenance


def read_moment(
    reader: Reader,
    criteria: Criteria,
    *,
    now: datetime | None = None,
    first_met: FirstMet | None = None,
) -> Recorded:
    """Read the moment that the reader sees.

    now: as for `assess`. first_met: as for `detect`. Raises SettingsError for an expired rule
    before anything is compared.
    """
    scale, moment = criteria.time_scale, now or reader.as_of_time
    compared = compare_journal(reader, criteria, now=now)
    until, health, gaps = compared.until, compared.health, recorded_gaps(reader)
    pairs = compared.comparison.narrow
    jobs = with_fate(
        compared.jobs, pairs,
        until=until, deadline_s=criteria.deadline_s, scale=scale, blind=compared.blind,
    )  # fmt: skip
    fates = count_fates(jobs)
    replays = replay_progress(reader, disagreeing=_disagreeing(pairs))
    said = statements(reader, at=moment)
    era = eras(compared.marks, first_job=compared.first_job)
    force = in_force(reader, criteria)
    effects = tuple(
        replace(
            effect,
            added_at=force.rules.get(effect.name),
            noted=effect.name not in force.unnoted,
        )
        for effect in rule_effects(compared.comparison)
    )
    findings = in_sample(
        detect(
            reader,
            until=until,
            deadline_s=criteria.deadline_s,
            time_scale=scale,
            overstepping_rules=[
                overstep(rule.name, rule.hidden_pairs, rule.expects_at_most)
                for rule in effects
                if rule.expects_at_most is not None and rule.hides_too_much
            ],
            first_met=first_met,
        ),
        compared.unsampled,
    )
    return Recorded(
        compared=compared,
        jobs=jobs,
        fates=fates,
        effects=effects,
        findings=findings,
        evidence=EvidenceOf(
            reader, criteria,
            until=until, health=health, gaps=gaps, replays=replays, statements=said, eras=era,
        ),
        gaps=gaps,
        replays=replays,
        replay_exclusions=replay_exclusions(reader),
        statements=said,
        waivers=waivers(reader, at=moment),
        triages=triages(reader),
        era=era,
        force=force,
        operations=operations(reader, jobs, fates, until=health.complete_until, scale=scale),
        calibration=calibration_table(reader, criteria, jobs=jobs.height),
        provenance=Provenance(
            journal_id=reader.journal_id(),
            seq=reader.as_of_seq,
            as_of=reader.as_of_time,
            journal_hash=reader.journal_hash(),
            journal_schema_version=JOURNAL_SCHEMA_VERSION,
            rules_version=criteria.rules.digest,
            gates_version=criteria.gates.version,
            tool_version=__version__,
            since=criteria.since,
            deadline_s=criteria.deadline_s,
            time_scale=scale,
            phase=criteria.phase or criteria.gates.decide or "",
            candidate_version=era.version,
            version_since=era.version_since,
            attempt=era.attempt,
        ),
    )  # fmt: skip


def overstep(rule: str, pairs: int, limit: float) -> str:
    """One sentence about a rule that hides more pairs than it is declared to."""
    return f"rule {rule} hides {counted(pairs, 'pair')}; it is declared to hide at most {limit:g}"


def _disagreeing(pairs: pl.DataFrame) -> dict[str, int]:
    differing = pairs.filter(
        (pl.col("mode") != LIVE) & (pl.col("verdict") == Verdict.MISMATCH.value)
    )
    return dict(differing.group_by("mode").len().iter_rows())
