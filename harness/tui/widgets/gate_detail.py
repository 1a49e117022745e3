"""One gate in full: what it says, on which evidence, what is missing, and what it asks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical

from harness.assessment import Assessment, GateResult, Interval, StageResult, Statement
from harness.gates.shown import is_share, share_scale, status_line
from harness.gates.wording import counted, percent_down, percent_up, threshold_percent
from harness.stats.outlook import one_figure
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.interval_bar import Bar, IntervalBar
from harness.tui.widgets.named import Named
from harness.tui.widgets.named_figure import NamedFigure
from harness.tui.wording import day_and_time, duration, plain, state_class

_EVIDENCE = ("value", "required", "interval", "evidence", "counted", "stages")
_DEFINED = (
    "measures", "compared", "confidence", "at least", "freshness", "about", "why", "kind",
)  # fmt: skip


class GateDetail(Vertical):
    """Named lines in four parts; a line without anything to say is not there."""

    def __init__(self) -> None:
        super().__init__(classes="gate-detail")
        self._status = Cell(classes="status")
        self._lead = NamedFigure("says")
        self._bar = IntervalBar()
        self._missing = NamedFigure("to settle it")
        self._forecast = Named("forecast")
        self._waiver = Named("waiver")
        self._statement = Named("attested")
        self._evidence = {name: NamedFigure(name) for name in _EVIDENCE}
        self._defined = {name: NamedFigure(name) for name in _DEFINED}
        self._owner, self._red = NamedFigure("owner"), NamedFigure("when red")

    def compose(self) -> ComposeResult:
        """Status and reason, evidence, what is missing, definition, who acts."""
        yield self._status
        yield self._lead
        yield self._bar
        yield Cell("Evidence", classes="part")
        yield from self._evidence.values()
        yield Cell("What is missing", classes="part")
        yield self._missing
        yield self._forecast
        yield Cell("In force", classes="part")
        yield self._waiver
        yield self._statement
        yield Cell("Definition", classes="part")
        yield from self._defined.values()
        yield Cell("When it is red", classes="part")
        yield self._owner
        yield self._red

    def show(self, assessment: Assessment, gate: GateResult) -> None:
        """Paint `gate`, one of `assessment`."""
        gates = [one.gate for phase in assessment.phases for one in phase.gates]
        here = f"gates.{gates.index(gate.gate)}" if gate.gate in gates else "gates"
        self._status.show(f"{status_line(gate.status)}  {plain(gate.gate)}")
        self._status.state(state_class(gate.status))
        self._lead.show_figure(f"{here}.reason", plain(gate.reason))
        self._show_bar(assessment, gate)
        self._show_evidence(here, gate)
        self._missing.show_figure(
            f"{here}.missing", plain(gate.missing or "nothing: it is settled")
        )
        self._forecast.show(forecast(gate))
        self._waiver.show(waiver(gate))
        self._statement.show(" ".join(statement(assessment, gate)) or "no statement is asked for")
        self._show_definition(here, gate)
        self._owner.show_figure(f"{here}.owner", plain(gate.owner))
        self._red.show_figure(f"{here}.when_red", plain(gate.when_red))

    def _show_bar(self, assessment: Assessment, gate: GateResult) -> None:
        self._bar.display = is_share(gate)
        if gate.interval is not None and gate.threshold is not None and is_share(gate):
            start, end = share_scale(assessment.phases)
            self._bar.show(
                Bar(
                    low=gate.interval.low, high=gate.interval.high, value=gate.value,
                    threshold=gate.threshold, start=min(start, gate.interval.low), end=end,
                ),
                threshold_percent(gate.threshold),
            )  # fmt: skip

    def _show_evidence(self, here: str, gate: GateResult) -> None:
        rows = self._evidence
        rows["value"].show_figure(f"{here}.value_text", plain(gate.value_text))
        rows["required"].show_figure(f"{here}.threshold_text", plain(gate.threshold_text))
        rows["interval"].show_figure(f"{here}.interval", interval_words(gate.interval))
        rows["evidence"].show_figure(f"{here}.evidence_text", plain(gate.evidence_text))
        rows["counted"].show_figure(f"{here}.n", f"{gate.n:,} {plain(gate.unit)}")
        rows["stages"].show_figure(f"{here}.stages", "; ".join(map(_stage, gate.stages)))

    def _show_definition(self, here: str, gate: GateResult) -> None:
        told, rows = gate.definition, self._defined
        texts = dict.fromkeys(_DEFINED, "")
        paths = dict(zip(_DEFINED, ("statistic", "comparison", "confidence", "least_evidence",
                                    "freshness", "scope", "why", "kind"), strict=True))  # fmt: skip
        if told is not None:
            optional = "" if gate.required else "; not required: it decides nothing"
            texts |= {
                "measures": told.statistic,
                "compared": told.comparison,
                "confidence": confidence_words(told.confidence),
                "at least": told.least_evidence,
                "freshness": told.freshness,
                "about": told.scope,
                "why": told.why,
                "kind": f"{told.kind}{optional}{'' if told.waivable else '; cannot be waived'}",
            }
        for name, row in rows.items():
            row.show_figure(f"{here}.definition.{paths[name]}", plain(texts[name]))


def interval_words(interval: Interval | None) -> str:
    """Rounded outward, so that the text never claims more than the number."""
    if interval is None:
        return "none: this gate counts, it does not estimate"
    if interval.low >= 0.0 and interval.high <= 1.0:
        ends = f"{percent_down(interval.low)} to {percent_up(interval.high)}"
    else:
        high = f"{interval.high:,.4g}" if math.isfinite(interval.high) else "no upper bound"
        ends = f"{interval.low:,.4g} to {high}"
    return f"{ends} ({interval.method}, {interval.kind.value})"


def confidence_words(confidence: float | None) -> str:
    """``95 %, one-sided, at every look``; that a gate only counts, where it does."""
    if confidence is None:
        return "none: it counts"
    return f"{100.0 * confidence:.4g} %, one-sided, however often anybody looks"


def forecast(gate: GateResult) -> str:
    """About how many jobs and how long would settle the gate at the present rate."""
    if gate.missing is None:
        return "none: it is settled"
    if gate.more_jobs is None:
        return "jobs alone do not settle it, or the present course leads nowhere"
    jobs = counted(one_figure(gate.more_jobs), "more job")
    if gate.more_s is None:
        return f"about {jobs}; the pace of the record is not known"
    # As rough as the number of jobs.
    whole = gate.more_s / gate.more_jobs * one_figure(gate.more_jobs) if gate.more_jobs else 0.0
    return f"about {jobs}, {duration(whole)} at the pace of the record"


def waiver(gate: GateResult) -> str:
    """Who takes the risk, until when and why."""
    one = gate.waiver
    if one is None:
        return "not waived"
    says = f"; the evidence says {status_line(gate.judged)}" if gate.judged else ""
    state = "" if one.valid else " (expired)"
    return f"by {plain(one.by)} until {day_and_time(one.until)}{state}: {plain(one.reason)}{says}"


def statement(assessment: Assessment, gate: GateResult) -> Iterator[str]:
    """What a named person attested, where the gate waits for that."""
    name = gate.definition.attestation if gate.definition else ""
    if not name:
        return
    said = [one for one in assessment.statements if one.name == name]
    yield from map(_said, said) if said else (f"nobody has attested {plain(name)}",)


def _said(one: Statement) -> str:
    holds = "holds" if one.holds else "does not hold"
    state = "" if one.valid else " (expired)"
    note = f": {plain(one.note)}" if one.note else ""
    until = day_and_time(one.until)
    return f"{plain(one.name)} {holds}, by {plain(one.by)} until {until}{state}{note}"


def _stage(stage: StageResult) -> str:
    jobs = counted(stage.n, "job")
    return f"{stage.percent:g} %, {jobs}: {status_line(stage.status)}, {plain(stage.text)}"
