"""Arranges gates for the page: rows with bars, what settles them and how long that takes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.assessment import Assessment, GateResult, PhaseResult
from harness.gates.shown import STATUS_WORDS, is_share, share_scale
from harness.gates.wording import counted, listed
from harness.model import GateStatus
from harness.report.bars import Bar, Scale, interval_bar
from harness.report.wording import duration, interval
from harness.stats.outlook import one_figure

_URGENCY = (
    GateStatus.FAIL, GateStatus.UNDECIDED, GateStatus.OPEN, GateStatus.WAIVED, GateStatus.PASS,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One gate with its drawn interval, if it has one."""

    gate: GateResult
    word: str
    interval: str
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRows:
    """A phase with its rows."""

    phase: PhaseResult
    rows: tuple[GateRow, ...]
    counts: str
    """``2 pass, 1 open``."""

    @property
    def shared_reason(self) -> str | None:
        """The reason of every gate where they all have the same, as before a phase begins."""
        reasons = {row.gate.reason for row in self.rows}
        return reasons.pop() if len(reasons) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What a gate that is not settled waits for."""

    gate: GateResult
    jobs: str
    """``about 3,000``; a dash where jobs alone do not settle it."""
    time: str
    """How long so many jobs take at the present pace; a dash where nobody can say."""


def gate_scale(phases: Iterable[PhaseResult]) -> Scale:
    """One scale for the bars of all gates; one without evidence would stretch it to nothing."""
    return share_scale(
        replace(phase, gates=tuple(gate for gate in phase.gates if gate.value is not None))
        for phase in phases
    )


def phase_rows(phases: Iterable[PhaseResult], scale: Scale) -> tuple[PhaseRows, ...]:
    """Every phase with the lines of its table."""
    return tuple(
        PhaseRows(
            phase=phase,
            rows=tuple(_row(gate, scale) for gate in phase.gates),
            counts=gate_counts((phase,)),
        )
        for phase in phases
    )


def by_urgency(phases: Iterable[PhaseRows]) -> tuple[GateRow, ...]:
    """What fails first, what passes last; within a status as the gates are declared."""
    rows = [row for one in phases for row in one.rows]
    return tuple(sorted(rows, key=lambda row: _URGENCY.index(row.gate.status)))


def gate_counts(phases: Iterable[PhaseResult]) -> str:
    """``2 pass, 2 fail, 2 undecided, 2 open``."""
    counts = Counter(gate.status for phase in phases for gate in phase.gates)
    return ", ".join(
        f"{counts[status]} {word.lower()}"
        for status, word in STATUS_WORDS.items()
        if counts[status]
    )


def jobs_a_second(assessment: Assessment) -> float | None:
    """How fast jobs are created, in seconds of production; None where nobody can say."""
    running = assessment.operations
    per_h = running.traffic.pace_per_h if running else None
    return per_h / 3600.0 if per_h else None


def pace_words(pace: float | None) -> str | None:
    """``about 8.6 jobs an hour``; None where the pace is unknown."""
    if pace is None:
        return None
    for unit, seconds in (("a second", 1), ("a minute", 60), ("an hour", 3600)):
        if pace * seconds >= 2.0:
            return f"about {pace * seconds:,.3g} jobs {unit}"
    return f"about {pace * 86400:,.2g} jobs a day"


def unsettled(phases: Sequence[PhaseRows], pace: float | None) -> tuple[Unsettled, ...]:
    """The gates that wait for something, those that only need jobs first, the soonest first."""
    waiting = [row.gate for one in phases for row in one.rows if row.gate.missing]
    waiting.sort(key=lambda gate: float("inf") if gate.more_jobs is None else gate.more_jobs)
    return tuple(
        Unsettled(gate=gate, jobs=_jobs(gate.more_jobs), time=_time(gate.more_jobs, pace))
        for gate in waiting
    )


def others(phases: Sequence[PhaseRows]) -> str:
    """``Cut-over (3 open) and Cleanup (1 pass)``: the phases that do not decide."""
    return listed([f"{one.phase.title} ({one.counts or 'no gates'})" for one in phases])


def stages_words(gate: GateResult) -> tuple[tuple[GateStatus, str, str], ...]:
    """Per stage of traffic: status, name with its number of jobs, and what it says."""
    return tuple(
        (stage.status, f"{stage.percent:g} % of traffic, {counted(stage.n, 'job')}", stage.text)
        for stage in gate.stages
    )


def _row(gate: GateResult, scale: Scale) -> GateRow:
    bar = None
    if is_share(gate) and gate.interval is not None and gate.value is not None:
        bar = interval_bar(gate.value, gate.interval, gate.threshold, scale)
    return GateRow(
        gate=gate, word=STATUS_WORDS[gate.status], interval=interval(gate.interval), bar=bar
    )


def _jobs(more: float | None) -> str:
    return "–" if more is None else f"about {one_figure(more):,}"


def _time(more: float | None, pace: float | None) -> str:
    if more is None or pace is None:
        return "–"
    return f"about {duration(one_figure(more) / pace)}"
