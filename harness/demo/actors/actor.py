"""Runs one actor of the rehearsal in a thread, in compressed time; knows no table or queue.

An actor does what its script says, sets `done` when nothing scripted is left, and then only
keeps up appearances (heartbeats) until it is told to stop.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

_POLL_S = 0.05


class ScaledClock:
    """Compressed time: one real second stands for `scale` scaled seconds."""

    def __init__(self, scale: float) -> None:
        if scale <= 0:
            raise ValueError(f"time scale = {scale}: it must be above 0")
        self.scale = scale
        self._start = time.monotonic()

    def now_s(self) -> float:
        """Scaled seconds since the clock was made."""
        return (time.monotonic() - self._start) * self.scale

    def wait_until(self, moment_s: float, stop: Event) -> bool:
        """Sleep until the scaled moment; False at once when `stop` is set meanwhile."""
        return not stop.wait(max(0.0, moment_s - self.now_s()) / self.scale)


class Actor(ABC):
    """One thread of the rehearsal.

    `run` must come back soon after its event is set. What it raises is kept in `error`, and
    `done` is set too, so that whoever waits does not wait for a dead actor.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.done = Event()
        """All scripted work is finished, or the actor has failed."""
        self.error: Exception | None = None
        self._stop = Event()
        self._thread: Thread | None = None

    @abstractmethod
    def run(self, stop: Event) -> None:
        """Act until `stop` is set; set `done` when the script is finished."""

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread = Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ask the thread to end and wait for it; calling it twice is fine.

        Raises RuntimeError if it does not end in time.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                raise RuntimeError(f"actor {self.name} did not stop within {timeout_s:g} s")

    def check(self) -> None:
        """Raise what the thread raised, if it did."""
        if self.error is not None:
            raise self.error

    def _guarded(self) -> None:
        try:
            self.run(self._stop)
        except Exception as error:
            # Once asked to stop, its database may be gone before its last statement.
            if not self._stop.is_set():
                self.error = error
        finally:
            self.done.set()


def wait_until_done(
    actors: Sequence[Actor],
    *,
    stop: Event,
    timeout_s: float,
    check: Callable[[], None] = lambda: None,
) -> bool:
    """Wait until every actor has finished its script.

    Returns False when `stop` is set or the (real) time is up before that.
    Raises what an actor raised, or what `check` raises, as soon as it is seen.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        for actor in actors:
            actor.check()
        if all(actor.done.is_set() for actor in actors):
            return True
        if time.monotonic() > deadline or stop.wait(_POLL_S):
            return False


@contextmanager
def acting(actors: Sequence[Actor]) -> Iterator[None]:
    """Start the actors; stop them however the block ends."""
    for actor in actors:
        actor.start()
    try:
        yield
    finally:
        for actor in actors:
            actor.stop()
