"""Names of what a run makes on servers that outlive it, so that a killed run's can be found."""

from __future__ import annotations

import itertools
import re

import psutil

from replay.scratch import lives, started

PREFIX = "shadow-replay-"
_NAME = re.compile(rf"{PREFIX}(\d+)-(\d+)-\d+")
_numbers = itertools.count(1)


def new_name() -> str:
    """A name that tells whose it is: process, its start, and a number."""
    me = psutil.Process()
    return f"{PREFIX}{me.pid}-{started(me)}-{next(_numbers)}"


def is_left_over(name: str) -> bool:
    """Whether it is a name of ours whose process is gone. Ours may have an ending: ``-dlq``."""
    found = _NAME.match(name)
    return found is not None and not lives(int(found[1]), found[2])
