"""Shows how recording goes: a live line on a terminal, a log line now and then elsewhere.

Everything here goes to stderr. Imports nothing that reads a database.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from harness.record.progress import RecorderProgress

LINE_EVERY_S = 5.0
Tell = Callable[[RecorderProgress], None]


@contextmanager
def showing_progress() -> Iterator[Tell]:
    """Yield what the recorder is to call with its progress, from whichever thread."""
    how = _live_line if sys.stderr.isatty() else _log_lines
    with how() as tell:
        yield tell


def describe(progress: RecorderProgress, now: datetime) -> str:
    """One line: rows, how far the record is complete, lag, cost of the last poll, queues."""
    parts = [f"{progress.rows:,} rows"]
    if progress.complete_until is None:
        parts.append(_copying(progress))
    else:
        # The source's clock may be a little ahead of ours.
        lag_s = max(0.0, (now - progress.complete_until).total_seconds())
        parts.append(f"complete until {progress.complete_until:%H:%M:%S} UTC, lag {lag_s:.1f} s")
    if progress.polls:
        parts.append(f"last poll {progress.cost_ms:.1f} ms")
    if progress.queue_depth is not None:
        parts.append(f"queue {progress.queue_depth}")
    if progress.dlq_depth is not None:
        parts.append(f"dead letters {progress.dlq_depth}")
    if progress.provisional:
        parts.append(f"complete by sweeps only: {progress.provisional}")
    if progress.warning:
        parts.append(f"WARNING: {progress.warning}")
    parts.extend(f"FAILING: {why}" for why in progress.failing)
    if progress.rewound:
        parts.append(f"WAITING FOR YOUR WORD: {progress.rewound}")
    return "; ".join(parts)


def _copying(progress: RecorderProgress) -> str:
    if not progress.copy_rows:
        return "first copy"
    share = min(1.0, progress.copied_rows / progress.copy_rows)
    return f"first copy {share:.0%} of about {progress.copy_rows:,} rows"


@contextmanager
def _live_line() -> Iterator[Tell]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    newest = [RecorderProgress()]

    def render() -> Text:
        line = describe(newest[0], datetime.now(UTC))
        return Text(f"recording  {line}", style="bold red" if newest[0].failing else "")

    def tell(progress: RecorderProgress) -> None:
        newest[0] = progress

    console = Console(stderr=True)
    with Live(console=console, get_renderable=render, refresh_per_second=4, transient=True):
        yield tell


@contextmanager
def _log_lines() -> Iterator[Tell]:
    newest = [RecorderProgress()]
    ended = threading.Event()
    hurry = threading.Event()

    def tell(progress: RecorderProgress) -> None:
        # What fails, and that it does so no longer, is news at once.
        if progress.failing != newest[0].failing:
            hurry.set()
        newest[0] = progress

    def write() -> None:
        while not ended.is_set():
            hurry.wait(LINE_EVERY_S)
            hurry.clear()
            if not ended.is_set():
                click.echo(f"recording: {describe(newest[0], datetime.now(UTC))}", err=True)

    thread = threading.Thread(target=write, name="progress", daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        ended.set()
        hurry.set()
        thread.join()
