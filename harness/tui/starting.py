"""Garbage collection while a dashboard starts.

What is made before the first screen stands is here to stay, so that looking for garbage in it again
and again takes a tenth of that time and finds none.
"""

from __future__ import annotations

import gc

STARTED_S = 2.0
"""After so long the first screen stands, unless the machine is very busy."""


def collect_later() -> None:
    """Look for no garbage until `collect_again`."""
    gc.disable()


def collects_later() -> bool:
    """Whether somebody asked for that."""
    return not gc.isenabled()


def collect_again() -> None:
    """Look for garbage from now on, but not among what was made to begin with."""
    gc.freeze()
    gc.enable()
