"""How many submissions go on at once, and when the machine is too busy to be believed.

The rules are pure; `replay/machine.py` measures and `Pace` lends the slots.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

CPU_ENOUGH = 0.85
"""Share of all cores in use below which one more submission at once is tried."""
CPU_FULL = 0.98
"""At this share more at once only lets each of them wait longer: timeouts, and no more done."""
LAG_HIGH_S = 0.25
"""So late comes the event loop, which serves all sites, when it has too much to do."""
MEMORY_LOW = 0.08
"""Share of memory that must stay available."""

STARVED_LAG_S = 1.0
"""An event loop this late answers pages too late to call their timeouts the worker's fault."""
STARVED_STEAL = 0.25
"""Share of the CPU that other machines on the same host take away."""
STARVED_LOAD = 4.0
"""Processes a core that want to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The machine over the last second or so."""

    cpu: float
    """Share of all cores in use, by anyone, in [0, 1]."""
    lag_s: float
    """How late the event loop came at worst."""
    memory: float
    """Share of memory available, in [0, 1]."""
    steal: float = 0.0
    """Share of the CPU taken by other machines, in [0, 1]."""
    load: float = 0.0
    """Processes a core that want to run, averaged over a minute."""

    @property
    def starved(self) -> bool:
        """Whether a timeout at this time may be the machine's fault."""
        return (
            self.lag_s >= STARVED_LAG_S or self.steal >= STARVED_STEAL or self.load >= STARVED_LOAD
        )


def next_limit(limit: int, sample: Sample, *, floor: int, bound: int, wanted: bool) -> int:
    """How many at once after this sample.

    One more while cores are idle and a submission waits for a slot (`wanted`); a quarter less when
    the event loop comes late or memory is short; one less, not below `floor`, at full load.
    """
    if sample.lag_s >= LAG_HIGH_S or sample.memory <= MEMORY_LOW:
        return max(1, limit - max(1, limit // 4))
    if sample.cpu >= CPU_FULL:
        return min(limit, max(floor, limit - 1))
    if sample.cpu < CPU_ENOUGH and wanted:
        return min(bound, limit + 1)
    return limit


class Pace:
    """Slots for submissions; how many there are may change while they are lent."""

    def __init__(self, *, start: int, floor: int, bound: int, adapts: bool) -> None:
        """start: how many at first. bound: never more than this many.

        adapts: False keeps `start` whatever the machine does.
        """
        self.limit = min(start, bound)
        self.floor = floor
        self.bound = bound
        self.most = 0
        """The most that went on at once."""
        self._adapts = adapts
        self._used = 0
        self._waiting = 0
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot; waits for one."""
        async with self._changed:
            self._waiting += 1
            try:
                await self._changed.wait_for(lambda: self._used < self.limit)
            finally:
                self._waiting -= 1
            self._used += 1
            self.most = max(self.most, self._used)
        try:
            yield
        finally:
            self._used -= 1
            async with self._changed:
                self._changed.notify()

    async def adapt(self, sample: Sample) -> None:
        """Fit the number of slots to what was measured."""
        if not self._adapts:
            return
        limit = next_limit(
            self.limit, sample, floor=self.floor, bound=self.bound, wanted=self._waiting > 0
        )
        if limit != self.limit:
            self.limit = limit
            async with self._changed:
                self._changed.notify_all()
