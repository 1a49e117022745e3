"""Finds the next moment at which a gate changed. No Textual: runs in a worker thread.

A gate may flip and flip back, so no bisection finds its next change: every batch is looked at, one
after the other. Where a look takes seconds that leads nowhere soon. Then looks that are kept tell
between which two of them a gate changed, and a bisection finds a change in between. The walk says
so, since it passes by what was taken back before the next kept look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.assessment import Assessment
from harness.gates.shown import status_line
from harness.tui.sources import LooksKept, Source
from harness.tui.wording import plain

MOST_BATCHES = 2000
MOST_S = 120.0
"""Where a walk ends at the latest; asked again it goes on from there."""
NEAR_S = 15.0
"""How long every batch is looked at where there are kept looks to go on by."""

GateStates: TypeAlias = tuple[tuple[str, str], ...]
"""Decision first, then id and status of every gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How a search for a change went."""

    seq: int
    """Where it landed: at the change, or at the last moment looked at."""
    changes: tuple[str, ...]
    """What changed there, in words; empty if nothing was found."""
    looked: int
    """Moments looked at."""
    ended: bool
    """Whether the journal ended there: there is nothing more in that direction."""
    passed_by: bool = False
    """Whether it went from one kept look to the next, past what was taken back in between."""


def gate_states(assessment: Assessment) -> GateStates:
    """What the gates say, as a value that can be compared."""
    gates = [(g.gate, status_line(g.status)) for phase in assessment.phases for g in phase.gates]
    return (("decision", assessment.decision.value), *gates)


def changes_between(before: GateStates, after: GateStates) -> tuple[str, ...]:
    """``shadow.agreement: ~ Undecided → ✓ Pass``, one a gate."""
    was, now = dict(before), dict(after)
    return tuple(
        f"{plain(name)}: {was.get(name, 'not there')} → {now.get(name, 'not there')}"
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    )


def find_gate_change(
    source: Source,
    start: Assessment,
    *,
    forward: bool,
    stopped: Callable[[], bool],
    tell: Callable[[int, int], None],
    kept: LooksKept | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Walk:
    """Walk from `start` until a gate says something else.

    Backwards it lands on the newest moment whose gates differ from those of the moment after it.
    stopped: asked before every look. tell: is told how many were looked at and where.
    Raises ShadowError if the journal cannot be read.
    """
    search = _Search(source, gate_states(start), forward, stopped, tell)
    seq, began = start.provenance.seq, clock()
    while search.looked < MOST_BATCHES and (spent_s := clock() - began) < MOST_S:
        if kept and spent_s >= NEAR_S and (ahead := search.ahead_of(seq, kept.seqs())):
            return search.by_kept(seq, ahead, kept)
        there = source.step(seq, forward=forward)
        if there is None:
            return search.ended_at(seq, ended=True)
        if (found := search.look(there)) is None:
            return search.ended_at(seq)
        seq = there
        if found != search.states:
            return search.ended_at(seq, found)
    return search.ended_at(seq)


class _Search:
    """What the gates said at the start, and how to look for a moment at which they differ."""

    def __init__(
        self,
        source: Source,
        states: GateStates,
        forward: bool,
        stopped: Callable[[], bool],
        tell: Callable[[int, int], None],
    ) -> None:
        self.states = states
        self.looked = 0
        self._source = source
        self._forward = forward
        self._stopped = stopped
        self._tell = tell

    def look(self, seq: int) -> GateStates | None:
        """What the gates say at a moment; None for whoever wants to stop, or where it failed."""
        if self._stopped():
            return None
        snapshot = self._source.load(seq)
        if snapshot.assessment is None or snapshot.trouble:
            return None
        self.looked += 1
        self._tell(self.looked, seq)
        return gate_states(snapshot.assessment)

    def ended_at(
        self,
        seq: int,
        found: GateStates | None = None,
        *,
        ended: bool = False,
        passed_by: bool = False,
    ) -> Walk:
        """The walk that ended there. found: what the gates say there if it is something else."""
        pair = (self.states, found or self.states)
        changes = changes_between(*(pair if self._forward else reversed(pair)))
        return Walk(seq=seq, changes=changes, looked=self.looked, ended=ended, passed_by=passed_by)

    def ahead_of(self, seq: int, seqs: Collection[int]) -> list[int]:
        """Those that lie ahead of `seq`, in the order in which one comes to them."""
        if self._forward:
            return sorted(one for one in seqs if one > seq)
        return sorted((one for one in seqs if one < seq), reverse=True)

    def by_kept(self, seq: int, ahead: Sequence[int], kept: LooksKept) -> Walk:
        """Go on from `seq`, where the gates say what they said at the start, by kept looks."""
        passed = [seq]
        for there in ahead:
            seen = kept.at(there)
            if seen is None:
                continue
            if gate_states(seen.assessment) != self.states:
                if (found := self.look(there)) is None:
                    return self.ended_at(seq)
                if found != self.states:
                    return self._behind(passed, there, found)
            passed.append(there)
        if (found := self.look(passed[-1])) is None:
            return self.ended_at(seq)
        if found != self.states:
            return self._behind(passed[:-1], passed[-1], found)
        return self.ended_at(passed[-1], passed_by=True)

    def _behind(self, passed: list[int], other: int, found: GateStates) -> Walk:
        """Find the change before `other`, where the gates say `found`.

        passed: kept looks that one came by. But for the first, only these say that nothing changed
        there; what was seen as the present may be untrue of the same moment as the past.
        """
        while len(passed) > 1:
            if (states := self.look(passed[-1])) is None:
                return self.ended_at(passed[0])
            if states == self.states:
                break
            other, found = passed.pop(), states
        return self._between(passed[-1], other, found)

    def _between(self, same: int, other: int, found: GateStates) -> Walk:
        """Bisect by batches. same: where the gates say what they did. other: where not, `found`."""
        while (middle := self._middle(same, other)) is not None:
            states = self.look(middle)
            if states is None:
                return self.ended_at(same, passed_by=True)
            if states == self.states:
                same = middle
            else:
                other, found = middle, states
        return self.ended_at(other, found, passed_by=True)

    def _middle(self, one: int, other: int) -> int | None:
        """A moment at which the journal grew strictly between two others; None if there is none."""
        low, high = sorted((one, other))
        middle = (low + high) // 2
        for at, forward in ((middle + 1, False), (middle, True)):
            found = self._source.step(at, forward=forward)
            if found is not None and low < found < high:
                return found
        return None
