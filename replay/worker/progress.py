"""How a worker says which step of its plan it is at, and whoever runs it hears that.

A worker owes nothing here: one that says nothing is replayed as well, and what tries to leave
meanwhile is recorded without a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("step_listener", default=None)


def at_step(number: int, words: str) -> None:
    """Say that step `number` of the plan begins, counted from 1. Heard by nobody where none asks.

    A context variable, not a parameter: a worker calls it from any depth, and tasks that it starts
    belong to the same submission.
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener(f"{number}: {words}")


@contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Within, and in tasks started within, what `at_step` is told goes to `listener`."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
