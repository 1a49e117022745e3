"""Who has which submissions of a run, for how long, and how often they were lost. Pure: no clock.

A unit is handed out under an id of its own each time, so an id that is known names one handing-out
and nothing older. The first result of a submission counts, whoever brings it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from replay.select import Replayable
from replay.selection import Pair

MOST_TRIES = 3
"""A submission that was in hand so often when its machine fell silent has its outcome: a crash."""


class GoneError(KeyError):
    """No unit that is handed out has this id."""


@dataclass(slots=True, kw_only=True)
class Handout:
    """One unit that is handed out."""

    left: dict[Pair, Replayable]
    """Without a result so far."""
    machine: str | None = None
    """Who has it; None before anybody came for it."""
    heard_s: float = 0.0
    in_hand: frozenset[Pair] = frozenset()
    """Begun, by the last word of its machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What is to be done about a unit that was lost."""

    again: tuple[tuple[Replayable, ...], ...]
    """To be handed out again, each as a unit."""
    given_up: tuple[Replayable, ...]


@dataclass(slots=True, kw_only=True)
class Book:
    """All units that are handed out.

    name: begins every id; no two books have the same. lease_s: so long after its last sign of life
    a machine is held to be dead.
    """

    name: str
    lease_s: float
    most_tries: int = MOST_TRIES
    handouts: dict[str, Handout] = field(default_factory=dict)
    _holders: dict[Pair, str] = field(default_factory=dict)
    _tries: Counter[Pair] = field(default_factory=Counter)
    _count: int = 0

    @property
    def waiting(self) -> list[str]:
        """Units for which nobody has come."""
        return [unit for unit, one in self.handouts.items() if one.machine is None]

    @property
    def taken(self) -> list[str]:
        """Units that a machine has."""
        return [unit for unit, one in self.handouts.items() if one.machine is not None]

    def add(self, submissions: Iterable[Replayable]) -> str:
        """Hand out a unit and return its id. ValueError if one of them is handed out already."""
        left = {submission.key: submission for submission in submissions}
        if known := left.keys() & self._holders.keys():
            raise ValueError(f"{len(known)} submissions are handed out already")
        self._count += 1
        unit = f"{self.name}-{self._count}"
        self.handouts[unit] = Handout(left=left)
        self._holders.update(dict.fromkeys(left, unit))
        return unit

    def take(self, unit: str, machine: str, *, now_s: float) -> tuple[Replayable, ...]:
        """A machine comes for a unit: what is left of it. Raises GoneError.

        The same machine may ask again, because the answer may have been lost on its way.
        """
        one = self._of(unit)
        if one.machine not in (None, machine):
            raise GoneError(unit)
        one.machine, one.heard_s = machine, now_s
        return tuple(one.left.values())

    def hear(self, unit: str, in_hand: Iterable[Pair], *, now_s: float) -> str:
        """A sign of life; returns whose. Raises GoneError if the unit is with nobody."""
        one = self._of(unit)
        if one.machine is None:
            raise GoneError(unit)
        one.heard_s, one.in_hand = now_s, frozenset(in_hand)
        return one.machine

    def result(self, key: Pair) -> Replayable | None:
        """A result of this submission is there; None if it is not the first, or of no unit."""
        unit = self._holders.pop(key, None)
        return None if unit is None else self.handouts[unit].left.pop(key)

    def close(self, unit: str) -> tuple[Replayable, ...]:
        """Its machine gave a unit back: what is left of it, to nobody's blame."""
        one = self.handouts.pop(unit, None)
        for key in one.left if one else ():
            del self._holders[key]
        return tuple(one.left.values()) if one else ()

    def expired(self, *, now_s: float) -> list[str]:
        """Units whose machine has been silent for too long."""
        return [unit for unit in self.taken if now_s - self.handouts[unit].heard_s > self.lease_s]

    def lose(self, unit: str) -> Loss:
        """The machine of this unit is gone.

        What it had in hand may be what killed it. Machines also die of themselves, so at first it
        is handed out like the rest; for its last try alone, so that it takes no other
        with it; then it is given up. Where the machine had not said what it had in hand, any may be
        to blame.
        """
        in_hand = self.handouts[unit].in_hand if unit in self.handouts else frozenset()
        left = self.close(unit)
        named = [one for one in left if one.key in in_hand]
        suspects: Sequence[Replayable] = named or left
        self._tries.update(one.key for one in suspects)
        given_up = tuple(one for one in suspects if self._tries[one.key] >= self.most_tries)
        spared = [one for one in left if self._tries[one.key] < self.most_tries]
        last = {one.key for one in named if self._tries[one.key] == self.most_tries - 1}
        alone = [one for one in spared if one.key in last]
        others = tuple(one for one in spared if one.key not in last)
        again = (*((one,) for one in alone), *((others,) if others else ()))
        return Loss(again=again, given_up=given_up)

    def _of(self, unit: str) -> Handout:
        try:
            return self.handouts[unit]
        except KeyError:
            raise GoneError(unit) from None
