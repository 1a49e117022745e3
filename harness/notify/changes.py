"""What has changed between two looks, folded by subject until it is told. Pure.

A subject that goes to and fro before it is told makes one change with its whole way, so that
nothing seen is left out and nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from harness.model import Decision, GateStatus, Severity
from harness.notify.standing import JOURNAL, UNREADABLE, Cases, Standing, State

_WAY_ENDS = 4
"""A longer way keeps so many of its first and of its last states; its changes are all counted."""
_CRITICAL = {GateStatus.FAIL.value, Decision.NO_GO.value, UNREADABLE}
_GOOD = {GateStatus.PASS.value, Decision.GO.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A subject went from one state to another, perhaps through others."""

    subject: str
    title: str
    way: tuple[str | None, ...]
    """States in order, the one last told first; None: there was no such subject."""
    changes: int
    """How often its state was seen to change."""
    reason: str
    required: bool
    since: datetime
    """The look at which the state last told still held."""
    seq: int
    as_of: datetime
    held: bool = False
    """Whether the limit has kept it from being told."""

    @property
    def severity(self) -> Severity:
        """How much it matters; a word that is not known here is a warning, never good news."""
        before, after = self.way[0], self.way[-1]
        if after in _CRITICAL and after != before and self.required:
            return Severity.CRITICAL
        if after != before and (after in _GOOD or self.subject == JOURNAL):
            return Severity.INFO
        return Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesChange:
    """Cases of a critical finding appeared or went."""

    subject: str
    title: str
    appeared: int
    """How often a case was seen to appear, also one that is gone again."""
    gone: int
    now: int
    """Cases there are."""
    fresh: tuple[str, ...]
    """Cases that are there and were not when the finding was last told; sorted."""
    left: tuple[str, ...]
    """Cases that were there when it was last told and are not now; sorted."""
    since: datetime
    seq: int
    as_of: datetime
    held: bool = False

    @property
    def changes(self) -> int:
        """How many changes were seen."""
        return self.appeared + self.gone

    @property
    def severity(self) -> Severity:
        """Critical while a case is there that nobody was told of."""
        if self.fresh:
            return Severity.CRITICAL
        return Severity.WARNING if self.appeared else Severity.INFO


Change: TypeAlias = StateChange | CasesChange


def fold(
    waiting: Iterable[Change],
    states: Mapping[str, State],
    cases: Mapping[str, Cases],
    standing: Standing,
    *,
    since: datetime,
) -> tuple[Change, ...]:
    """Add what differs between the last look and `standing` to what waits to be told.

    states, cases: as of the last look. since: when that was.
    """
    folded = {change.subject: change for change in waiting}
    for subject in _both(states, standing.states):
        before, after = states.get(subject), standing.states.get(subject)
        if (before.value if before else None) != (after.value if after else None):
            step = _state_step(subject, before, after, standing, since)
            folded[subject] = _joined(folded.get(subject), step)
        elif after and (change := folded.get(subject)) and isinstance(change, StateChange):
            folded[subject] = replace(change, reason=after.reason)
    for subject in _both(cases, standing.cases):
        old, new = cases.get(subject), standing.cases.get(subject)
        if (old.keys if old else ()) != (new.keys if new else ()):
            earlier = folded.get(subject)
            folded[subject] = _cases_step(subject, old, new, standing, since, earlier)
    # That the journal was locked for a moment is no news.
    journal = folded.get(JOURNAL)
    if isinstance(journal, StateChange) and journal.way[0] == journal.way[-1]:
        del folded[JOURNAL]
    return tuple(folded.values())


def _both(before: Iterable[str], after: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*before, *after]))


def _state_step(
    subject: str, before: State | None, after: State | None, standing: Standing, since: datetime
) -> StateChange:
    shown = after or before
    assert shown is not None
    return StateChange(
        subject=subject,
        title=shown.title,
        way=(before.value if before else None, after.value if after else None),
        changes=1,
        reason=after.reason if after else "",
        required=shown.required,
        since=since,
        seq=standing.seq,
        as_of=standing.as_of,
    )


def _joined(earlier: Change | None, step: StateChange) -> StateChange:
    if not isinstance(earlier, StateChange):
        return step
    way = (*earlier.way, step.way[-1])
    if len(way) > 2 * _WAY_ENDS:
        way = (*way[:_WAY_ENDS], *way[-_WAY_ENDS:])
    return replace(
        step, way=way, changes=earlier.changes + 1, since=earlier.since, held=earlier.held
    )


def _cases_step(
    subject: str,
    before: Cases | None,
    after: Cases | None,
    standing: Standing,
    since: datetime,
    earlier: Change | None,
) -> CasesChange:
    old, new = set(before.keys if before else ()), set(after.keys if after else ())
    shown = after or before
    assert shown is not None
    known = earlier if isinstance(earlier, CasesChange) else None
    told = (old - set(known.fresh)) | set(known.left) if known else old
    return CasesChange(
        subject=subject,
        title=shown.title,
        appeared=len(new - old) + (known.appeared if known else 0),
        gone=len(old - new) + (known.gone if known else 0),
        now=len(new),
        fresh=tuple(sorted(new - told)),
        left=tuple(sorted(told - new)),
        since=known.since if known else since,
        seq=standing.seq,
        as_of=standing.as_of,
        held=known.held if known else False,
    )
