"""Turns the signals that ask a command to end into an event that it can look at."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def stopping(stop: threading.Event, *, words: str) -> Iterator[None]:
    """Set `stop` on SIGINT or SIGTERM and say `words` on stderr; a second one ends at once."""

    def ask(_: int, __: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        click.echo(words, err=True)

    former = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
