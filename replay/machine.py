"""Measures this machine while a run goes on: CPU, memory, and how late the event loop comes."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable

import psutil

from replay.pace import Pace, Sample

EVERY_S = 1.0
_TICK_S = 0.1
_MEMORY_EACH = 150 * 1024 * 1024
_AT_ONCE_PER_CORE = 8


def cores() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def most_at_once() -> int:
    """The most submissions at once that are ever tried here: by cores, and what memory holds."""
    fits = int(psutil.virtual_memory().available // _MEMORY_EACH)
    return max(1, min(_AT_ONCE_PER_CORE * cores(), fits))


def new_pace(concurrency: int | None) -> Pace:
    """Slots for this machine: so many, or as many as it turns out to bear where None."""
    bound = concurrency or most_at_once()
    start = concurrency or cores()
    return Pace(start=start, floor=cores(), bound=bound, adapts=concurrency is None)


class Watch:
    """Samples the machine from `run` on, and remembers when it was last starved."""

    def __init__(self, on_sample: Callable[[Sample], Awaitable[None]] | None = None) -> None:
        self._on_sample = on_sample
        self._last_starved = -math.inf

    def starved_since(self, moment: float) -> bool:
        """Whether the machine was starved at some time after `moment` (``time.monotonic``)."""
        return self._last_starved >= moment

    async def run(self) -> None:
        """Sample for ever; cancel it to end."""
        psutil.cpu_percent(None)
        psutil.cpu_times_percent(None)
        while True:
            began, late_s = time.monotonic(), 0.0
            while time.monotonic() - began < EVERY_S:
                asleep = time.monotonic()
                await asyncio.sleep(_TICK_S)
                late_s = max(late_s, time.monotonic() - asleep - _TICK_S)
            sample = _measured(late_s)
            if sample.starved:
                self._last_starved = time.monotonic()
            if self._on_sample is not None:
                await self._on_sample(sample)


def _measured(late_s: float) -> Sample:
    memory = psutil.virtual_memory()
    load = psutil.getloadavg()[0] / cores()
    return Sample(
        cpu=psutil.cpu_percent(None) / 100,
        lag_s=late_s,
        memory=memory.available / memory.total,
        # Only Linux tells what other guests take.
        steal=getattr(psutil.cpu_times_percent(None), "steal", 0.0) / 100,
        load=load,
    )
