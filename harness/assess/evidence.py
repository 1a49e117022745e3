"""Gathers from the journal what the gates are judged on, and says what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from harness.assess.criteria import Criteria
from harness.assess.eras import Eras
from harness.assess.fresh import Cut
from harness.assess.gaps import RecordedGap, open_gaps
from harness.assess.health import ended_in_order
from harness.assess.levels import leftovers, old_path, sampled_levels, stuck_jobs
from harness.assess.said import attested
from harness.assess.samples import (
    dead_letters_seen,
    dlq_sampling,
    prefect_errors,
    prefect_sampling,
    record_span,
)
from harness.assess.scoping import of_directories, of_packages, scoped_gates
from harness.assess.sequences import (
    Fates,
    JobSequence,
    candidate_end_to_end,
    count_fates,
    counts_by_job,
    sequence_of,
)
from harness.assessment import RecordingHealth, ReplayProgress, Statement
from harness.gates.inputs import GateInputs, Scoped, StageInputs
from harness.journal.reader import Reader

STALE_S = 600.0
"""A record whose proof is older than this is not up to date; real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """What the live pairs of each job add up to, as `counts_by_job` has it."""

    whole: pl.DataFrame
    scoped: Mapping[str, pl.DataFrame]
    """By gate with a scope: of the pairs in its directories."""

    def with_changed(self, changed: Counts) -> Counts:
        """These, but for the jobs that `changed` counts too."""
        return Counts(
            whole=_with_changed(self.whole, changed.whole),
            scoped={
                name: _with_changed(counts, changed.scoped[name])
                for name, counts in self.scoped.items()
            },
        )


def _with_changed(counts: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([counts.join(changed, on="job_id", how="anti"), changed])


class EvidenceOf:
    """What one moment of a journal gives the gates to judge, from any beginning on.

    Reads when it is made and never after; the same counts and jobs give the same inputs.
    """

    def __init__(
        self,
        reader: Reader,
        criteria: Criteria,
        *,
        until: datetime,
        health: RecordingHealth,
        gaps: tuple[RecordedGap, ...],
        replays: tuple[ReplayProgress, ...],
        statements: tuple[Statement, ...],
        eras: Eras,
    ) -> None:
        self._criteria, self._until, self._eras = criteria, until, eras
        self._complete_until = health.complete_until
        self._attestations = attested(statements)
        self._levels = sampled_levels(reader)
        self._old_path = old_path(reader)
        self._leftovers = leftovers(reader, queued=health.queue_depth, dead=health.dlq_depth)
        self._sampled: dict[datetime | None, dict[str, Any]] = {}
        for since in (None, eras.cutover):
            start = _latest(since, eras.version_since)
            if start not in self._sampled:
                counted = _latest(criteria.since, start)
                self._sampled[start] = _of_samples(reader, health, gaps, replays, since=counted)

    def counts(self, pairs: pl.DataFrame) -> Counts:
        """What `inputs` asks of the pairs. pairs: `Comparison.pairs`, all or those of some jobs."""
        return Counts(
            whole=counts_by_job(pairs),
            scoped={
                name: counts_by_job(of_directories(pairs, getattr(gate, "directory", ())))
                for name, gate in scoped_gates(self._criteria.gates)
            },
        )

    def inputs(
        self,
        counts: Counts,
        jobs: pl.DataFrame,
        *,
        critical: Mapping[str, int] | None,
        unseen: tuple[str, ...],
        cut: Cut | None,
        since: datetime | None = None,
    ) -> GateInputs:
        """Everything that the gates are judged on.

        jobs: with `fate`. critical: None where no detector has run.
        since: the cut-over, where it alone counts from there.
        """
        eras = self._eras
        start = _latest(since, eras.version_since)
        agreement = _latest(start, cut.since if cut else None)
        load = _latest(start, eras.load_since)
        anew = {}
        if start is not None and start == eras.version_since:
            words = f"only jobs since version {eras.version} ({start:%d %B %Y %H:%M} UTC)"
            anew = dict.fromkeys(("agreement", "success", "end_to_end"), words)
        if load != start and _created(jobs, load).height < _created(jobs, start).height:
            percent = eras.stages[-1].percent
            anew["end_to_end"] = f"only jobs since traffic is {percent:g} %"
        if cut and agreement == cut.since:
            anew["agreement"] = cut.words
        stages = () if since else eras.stages
        return replace(
            self._over(counts, jobs, start=start, agreement=agreement, load=load),
            critical_findings=critical,
            unseen_by_findings=unseen,
            begun_anew=anew,
            attempt=eras.attempt,
            stages=tuple(
                StageInputs(
                    percent=stage.percent,
                    since=stage.since,
                    until=stage.until,
                    inputs=self._over(
                        counts, _created(jobs, stage.since, stage.until),
                        start=start, agreement=agreement, load=None,
                    ),
                )
                for stage in stages
            ),
        )  # fmt: skip

    def _over(
        self,
        counts: Counts,
        jobs: pl.DataFrame,
        *,
        start: datetime | None,
        agreement: datetime | None,
        load: datetime | None,
    ) -> GateInputs:
        criteria, until = self._criteria, self._until
        mine = _created(jobs, start)
        whole = sequence_of(counts.whole, mine)
        agreeing = whole
        if agreement != start:
            agreeing = sequence_of(counts.whole, _created(mine, agreement))
        loaded = _created(mine, load)
        end_to_end = candidate_end_to_end(loaded, until=until, scale=criteria.time_scale)
        fates = count_fates(mine)
        in_scope = {}
        for name, gate in scoped_gates(criteria.gates):
            here = of_packages(mine, gate.package)
            agreed = sequence_of(counts.scoped[name], _created(here, agreement))
            done = sequence_of(counts.scoped[name], here)
            took = candidate_end_to_end(
                _created(here, load), until=until, scale=criteria.time_scale
            )
            in_scope[name] = Scoped(
                agreement_low=agreed.agreement_low,
                agreement_high=agreed.agreement_high,
                success_low=done.success_low,
                success_high=done.success_high,
                control_success=done.control_success,
                end_to_end_s=took.seconds,
                end_to_end_state=took.states,
            )
        return GateInputs(
            scoped=in_scope,
            agreement_low=agreeing.agreement_low,
            agreement_high=agreeing.agreement_high,
            success_low=whole.success_low,
            success_high=whole.success_high,
            control_success=whole.control_success,
            end_to_end_s=end_to_end.seconds,
            end_to_end_state=end_to_end.states,
            admitted_jobs=fates.admitted,
            processed_jobs=fates.processed,
            pending_jobs=fates.pending,
            confirmed_losses=fates.losses if self._complete_until else None,
            coverage=self._coverage(whole, fates),
            admitted_by_measure={
                "agreement": _created(mine, agreement).height,
                "end_to_end": loaded.height,
            },
            levels={
                **self._levels,
                "stuck_jobs": stuck_jobs(
                    mine, deadline_s=criteria.deadline_s, scale=criteria.time_scale
                ),
            },
            old_path=self._old_path,
            leftovers=self._leftovers,
            record_end=self._complete_until,
            time_scale=criteria.time_scale,
            attestations=self._attestations,
            **self._sampled[start],
        )

    def _coverage(self, sequence: JobSequence, fates: Fates) -> float | None:
        """Share of the admitted jobs that are compared, or still may be.

        A control that has fallen silent will not speak of the jobs that wait for it.
        """
        if not fates.admitted:
            return None
        sign = self._old_path.at
        silent_s = math.inf if sign is None else (self._until - sign).total_seconds()
        if silent_s * self._criteria.time_scale <= self._criteria.deadline_s:
            return len(sequence.job_ids) / fates.admitted
        due = max(sequence.compared, fates.admitted - fates.pending)
        return sequence.compared / due if due else None


def _of_samples(
    reader: Reader,
    health: RecordingHealth,
    gaps: tuple[RecordedGap, ...],
    replays: tuple[ReplayProgress, ...],
    *,
    since: datetime | None,
) -> dict[str, Any]:
    """Fields of `GateInputs` that the samples and runs of the recorded time give."""
    span = record_span(reader, complete_until=health.complete_until, since=since)
    return {
        "recording_gaps": tuple(gap.words for gap in open_gaps(gaps, since=since)),
        "recording_complete": _recording_complete(reader, health),
        "record_start": span.start if span.end is not None else None,
        "dlq_depth": dead_letters_seen(reader, span),
        "dlq_sampling": dlq_sampling(reader, span, gaps),
        "prefect_errors": prefect_errors(reader, span),
        "prefect_sampling": prefect_sampling(reader, span, gaps),
        # A run that carried nothing out has tried nothing.
        "replay_escapes": (
            sum(run.escapes for run in replays) if any(run.done for run in replays) else None
        ),
    }


def _latest(*moments: datetime | None) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)


def _created(
    jobs: pl.DataFrame, since: datetime | None, until: datetime | None = None
) -> pl.DataFrame:
    """The jobs created from `since` on and before `until`."""
    if since is not None:
        jobs = jobs.filter(pl.col("created_at") >= since)
    return jobs if until is None else jobs.filter(pl.col("created_at") < until)


def _recording_complete(reader: Reader, health: RecordingHealth) -> bool | None:
    """None without a proof; False where a recorder fell silent while the journal went on."""
    if health.complete_until is None or health.lag_s is None:
        return None
    return health.lag_s <= STALE_S or ended_in_order(reader)
