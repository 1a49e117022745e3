"""The top of every screen: the decision, the moment it stands for, what must not be missed."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from harness.assessment import Assessment
from harness.gates.shown import decision_line
from harness.tui.view import Bridge, View
from harness.tui.widgets.cell import Cell
from harness.tui.wording import age, day_and_time, plain, rehearsal, state_class

QUIET_AFTER_S = 300.0
"""After this long without a new event, the masthead says that the record is quiet."""


class Masthead(Vertical):
    """Decision, moment and warnings. Every warning is words on a colour, never colour alone."""

    def __init__(self) -> None:
        super().__init__()
        self._decision = Cell("…", classes="decision")
        self._moment = Cell("reading the journal", classes="moment")
        # A wide terminal has room for the reason on the first line, a narrow one has not.
        self._reason_beside = Cell(classes="reason beside")
        self._reason_below = Cell(classes="reason below")
        self._past = Cell(classes="banner past")
        self._rehearsal = Cell(classes="banner rehearsal")
        self._trouble = Cell(classes="banner trouble")
        for cell in (self._past, self._rehearsal, self._trouble):
            cell.add_class("-none")

    def compose(self) -> ComposeResult:
        """Decision and moment on one line, the rest below, only where there is something."""
        with Horizontal(classes="line"):
            yield self._decision
            yield self._reason_beside
            yield self._moment
        yield self._reason_below
        yield self._past
        yield self._rehearsal
        yield self._trouble

    def show(self, view: View) -> None:
        """Paint what `view` says."""
        assessment = view.assessment
        if assessment is None:
            self._decision.show("○ NOTHING YET" if view.snapshot else "…")
            self._decision.state("-open")
            self._moment.show("no assessment" if view.snapshot else "reading the journal")
        else:
            self._decision.show(decision_line(assessment.decision))
            self._decision.state(state_class(assessment.decision))
            self._moment.show(_moment(view, assessment))
        for cell in (self._reason_beside, self._reason_below):
            cell.show(plain(assessment.reason) if assessment else "")
        _banner(self._past, _past(view))
        _banner(
            self._rehearsal, rehearsal(assessment.provenance.time_scale) if assessment else None
        )
        _banner(self._trouble, _trouble(view))


def _banner(cell: Cell, words: str | None) -> None:
    cell.set_class(words is None, "-none")
    if words is not None:
        cell.show(words)


def _moment(view: View, assessment: Assessment) -> Content:
    made = assessment.provenance
    if view.past:
        return Content.assemble(("◀ PAST ", "$warning bold"), f"seq {made.seq:,}")
    taken_at = view.snapshot.taken_at if view.snapshot else made.as_of
    quiet = (taken_at - made.as_of).total_seconds() > QUIET_AFTER_S
    return Content.assemble(
        ("● LIVE ", "$success bold"),
        f"{day_and_time(made.as_of)}, ",
        (f"▲ quiet: {age(made.as_of, taken_at)}", "$warning bold")
        if quiet
        else age(made.as_of, taken_at),
    )


def _past(view: View) -> str | None:
    if view.as_of is None:
        return None
    asked = _asked(view.as_of)
    if view.bridge and view.assessment:
        return f"◀ THE PAST, NOT NOW: {_bridge(view.bridge, view.assessment)}"
    keys = "l: live"
    if view.assessment is None:
        return f"◀ THE PAST, NOT NOW: as of {asked}.  {keys}"
    made = view.assessment.provenance
    landed = f"◀ THE PAST, NOT NOW: as of {day_and_time(made.as_of)}, seq {made.seq:,}"
    exact = view.as_of in (made.seq, made.as_of)
    return f"{landed}{'' if exact else f' (asked for {asked})'}.  {keys}"


def _bridge(bridge: Bridge, assessment: Assessment) -> str:
    made = assessment.provenance
    at = f"as of {day_and_time(made.as_of)}, seq {made.seq:,}"
    if bridge.to is None:
        return f"what was seen last, {at}. The journal is being read …"
    if bridge.to in (made.seq, made.as_of):
        return f"{at}, as it was seen before. The journal is being read …"
    return f"{at}, was seen before; {_asked(bridge.to)} is being read …"


def _asked(as_of: int | datetime) -> str:
    return day_and_time(as_of) if isinstance(as_of, datetime) else f"seq {as_of:,}"


def _trouble(view: View) -> str | None:
    words = []
    if view.snapshot and view.snapshot.trouble:
        words.append(f"▲ {plain(view.snapshot.trouble)}")
        if view.assessment:
            words.append("What is shown is older.")
    if view.fault:
        words.append(f"▲ A fault of the dashboard itself: {plain(view.fault)}")
    return " ".join(words) or None
