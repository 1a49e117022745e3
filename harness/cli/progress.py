"""Shows on a terminal how far a computation is; silent everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_steps(length: int) -> Iterator[Callable[[str], None]]:
    """Yield what is to be called with the words of each of `length` steps as it begins."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(
        length=length + 1, file=sys.stderr, show_eta=False, item_show_func=lambda step: step or ""
    ) as bar:
        yield lambda words: bar.update(1, words)
        bar.update(1, "done")
