"""What a forecast says and how it is shown. Loads nothing, so that a screen may use it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """More jobs until the evidence suffices; infinite means "not on course"."""

    jobs: float
    low: float
    high: float


def one_figure(jobs: float) -> int:
    """Round a finite number of jobs to one significant figure, at least 1."""
    if jobs <= 1.0:
        return 1
    size = int(10 ** math.floor(math.log10(jobs)))
    return round(jobs / size) * size
