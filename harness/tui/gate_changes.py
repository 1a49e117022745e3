"""Finds the next moment at which a gate changed. No Textual: runs in a worker thread.

A gate may flip and flip back, so no bisection finds its changes: every batch is looked at, one
after the other, up to a bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from harness.assessment import Assessment
from harness.gates.shown import status_line
from harness.tui.sources import Source
from harness.tui.wording import plain

MOST_BATCHES = 2000
MOST_S = 120.0
"""Where a walk ends at the latest; asked again it goes on from there."""

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
    clock: Callable[[], float] = time.monotonic,
) -> Walk:
    """Walk by batches from `start` until a gate says something else.

    Backwards it lands on the newest moment whose gates differ from those of the moment after it.
    stopped: asked before every look. tell: is told how many were looked at and where.
    Raises ShadowError if the journal cannot be read.
    """
    states, seq = gate_states(start), start.provenance.seq
    until = clock() + MOST_S
    for looked in range(MOST_BATCHES):
        if stopped() or clock() > until:
            return Walk(seq=seq, changes=(), looked=looked, ended=False)
        there = source.step(seq, forward=forward)
        if there is None:
            return Walk(seq=seq, changes=(), looked=looked, ended=True)
        snapshot = source.load(there)
        if snapshot.assessment is None or snapshot.trouble:
            return Walk(seq=seq, changes=(), looked=looked, ended=False)
        found = gate_states(snapshot.assessment)
        seq = there
        tell(looked + 1, seq)
        if found != states:
            pair = (states, found) if forward else (found, states)
            return Walk(seq=seq, changes=changes_between(*pair), looked=looked + 1, ended=False)
    return Walk(seq=seq, changes=(), looked=MOST_BATCHES, ended=False)
