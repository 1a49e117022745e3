"""Measures two ways of doing the same thing in turn and prints their ratio.

Machines are noisy, so only medians and ratios are printed, and both sides are timed in one run,
one after the other, again and again.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import psutil

_PACKAGES = ("duckdb", "polars", "numpy", "psycopg", "playwright", "textual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Medians of both sides."""

    ours_s: float
    peer_s: float
    rounds: int

    @property
    def ratio(self) -> float:
        """How many times as long ours takes."""
        return self.ours_s / self.peer_s


def compare(ours: Callable[[], object], peer: Callable[[], object], *, rounds: int = 15) -> Ratio:
    """Time `ours` and `peer` alternately; the first round of each warms up and is dropped."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for side, work in zip(times, (ours, peer), strict=True):
            began = time.perf_counter()
            work()
            if number:
                side.append(time.perf_counter() - began)
    return Ratio(
        ours_s=statistics.median(times[0]), peer_s=statistics.median(times[1]), rounds=rounds
    )


def tell(what: str, ours: str, peer: str, measured: Ratio) -> None:
    """Print one line: what, the ratio, both medians."""
    print(
        f"{what}: {ours} takes {measured.ratio:.2f} times as long as {peer} "
        f"({_milliseconds(measured.ours_s)} against {_milliseconds(measured.peer_s)}, medians of "
        f"{measured.rounds})"
    )


def machine() -> str:
    """One line about what this was measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {packages}"
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
