"""Measures how much of a comparison is noise, by two replay runs of one worker over one record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.compare.comparison import compare
from harness.compare.noise import field_shares, runs_as_sides
from harness.errors import SettingsError
from harness.journal.reader import Reader
from harness.model import LIVE
from harness.resources import sql_queries
from harness.stats.noise import FieldNoise, NoiseVerdict, alpha_per_row, judge_field


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRow:
    """One field, or one field at one directory."""

    field: str
    directory: str | None
    """None where all directories are taken together."""
    found: FieldNoise


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseReport:
    """What two runs of one worker say about one comparison."""

    mode: str
    """The comparison that is judged: live or a replay run."""
    runs: tuple[str, str]
    rows: tuple[NoiseRow, ...]
    """What is worst first."""
    alpha: float
    """Chance that any row is called signal though none is."""
    alpha_per_row: float
    tolerance: float
    seq: int
    as_of: datetime
    rules_version: int

    @property
    def signals(self) -> int:
        """Rows that differ more often than noise explains."""
        return sum(row.found.verdict is NoiseVerdict.SIGNAL for row in self.rows)

    @property
    def judged(self) -> int:
        """Rows that could be compared at all."""
        return sum(row.found.verdict.judged for row in self.rows)


def noise_report(
    reader: Reader,
    criteria: Criteria,
    *,
    runs: tuple[str, str],
    mode: str | None = None,
    by_directory: bool = False,
    alpha: float,
    tolerance: float = 0.0,
    now: datetime | None = None,
) -> NoiseReport:
    """Judge every field of the comparison `mode` (the first run if None) by the two runs.

    Raises SettingsError if a run is unknown, both are the same, or they ran different workers.
    """
    first, second = runs
    mode = mode or first
    compared = compare_journal(reader, criteria, now=now)
    submissions = reader.frame(sql_queries("views/select_submissions.sql")["select_submissions"])
    modes = sorted(set(submissions["mode"].to_list()))
    _check_runs(reader, runs, mode, modes)
    repeated = compare(
        runs_as_sides(submissions, first=first, second=second),
        compared.jobs,
        criteria.rules,
        as_of=compared.until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
    )
    shares = field_shares(
        compared.comparison,
        repeated,
        compared.jobs,
        mode=mode,
        run=second,
        by=("field", "directory") if by_directory else ("field",),
    )
    share = alpha_per_row(alpha, len(shares))
    rows = [
        NoiseRow(
            field=key[0],
            directory=key[1] if by_directory else None,
            found=judge_field(
                values,
                alpha=share,
                tolerance=tolerance,
                n_min=criteria.n_min,
                alpha_total=criteria.alpha_total,
            ),
        )
        for key, values in shares.items()
    ]
    rank = {verdict: place for place, verdict in enumerate(NoiseVerdict)}
    rows.sort(key=lambda row: (rank[row.found.verdict], row.field, row.directory or ""))
    return NoiseReport(
        mode=mode,
        runs=runs,
        rows=tuple(rows),
        alpha=alpha,
        alpha_per_row=share,
        tolerance=tolerance,
        seq=reader.as_of_seq,
        as_of=reader.as_of_time,
        rules_version=criteria.rules.version,
    )


def _check_runs(reader: Reader, runs: tuple[str, str], mode: str, modes: Sequence[str]) -> None:
    replays = [name for name in modes if name != LIVE]
    known = f"Known runs: {', '.join(replays) or 'none'}."
    for run in runs:
        if run not in replays:
            raise SettingsError(f"--run {run}: no submission of such a replay is recorded. {known}")
    if runs[0] == runs[1]:
        raise SettingsError(f"--run {runs[0]}: a run does not differ from itself. Give two runs.")
    if mode not in (*replays, LIVE):
        raise SettingsError(f"--mode {mode}: neither {LIVE} nor a recorded replay. {known}")
    query = sql_queries("views/select_replayable.sql")["select_run_starts"]
    workers = []
    for run in runs:
        starts = reader.rows(query, source=f"replay:{run}")
        workers.append(json.loads(starts[0][0]).get("worker") if starts else None)
    if None not in workers and workers[0] != workers[1]:
        raise SettingsError(
            f"--run {runs[1]}: it ran the worker {workers[1]}, run {runs[0]} ran {workers[0]}. "
            "Noise is what one worker shows twice; give two runs of the same."
        )
