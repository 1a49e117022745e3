"""Whether jobs take longer on the new side than on the old one, paired by job. No I/O.

"The median of new/old is at most f" is the same as "the share of jobs with new <= f old is at
least one half", and the evidence of that share holds at every look (`harness.stats.betting`).
What jobs have in common, such as their size, cancels within a pair.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.stats.checks import FloatArray, StatsInputError, same_length
from harness.stats.quantiles import durations


def no_slower(
    old_s: npt.ArrayLike,
    new_s: npt.ArrayLike,
    old_states: npt.ArrayLike | None = None,
    new_states: npt.ArrayLike | None = None,
    *,
    factor: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Worst and best case of 1{new <= factor * old} per job, in the order given.

    old_s, new_s, states: as for `harness.stats.quantiles.durations`, one per job of both sides. A
    job that neither side finished is no slower.
    Raises StatsInputError naming the argument that is outside its domain.
    """
    if not 0.0 < factor < math.inf:
        raise StatsInputError("factor", f"= {factor!r} is not a number above 0")
    old_least, old_most = _named("old", old_s, old_states)
    new_least, new_most = _named("new", new_s, new_states)
    same_length("new_s", new_least, "old_s", old_least)
    return (
        (new_most <= factor * old_least).astype(np.float64),
        (new_least <= factor * old_most).astype(np.float64),
    )


def _named(
    side: str, seconds: npt.ArrayLike, states: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    try:
        return durations(seconds, states)
    except StatsInputError as error:
        name = "s" if error.argument == "seconds" else "states"
        problem = str(error).removeprefix(error.argument).strip()
        raise StatsInputError(f"{side}_{name}", problem) from None
