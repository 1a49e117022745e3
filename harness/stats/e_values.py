"""Several pieces of evidence for one hypothesis, and evidence as a p-value. No I/O.

Vovk & Wang 2021; Ramdas, Grünwald, Vovk & Shafer 2023. Never the largest of several e-values: that
is looking until one of them is large, and no e-value.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.stats.checks import StatsInputError, real_array


def log_average(log_e: npt.ArrayLike) -> float:
    """Log of the plain average of e-values: valid whatever their dependence.

    log_e: logs of at least one e-value, shape (k,).
    """
    logs = _logs(log_e)
    top = float(logs.max())
    return top if math.isinf(top) else top + math.log(float(np.exp(logs - top).mean()))


def log_product(log_e: npt.ArrayLike) -> float:
    """Log of the product of e-values: valid only where each is one *given those before it*.

    So for evidence of different jobs one after the other, not for two views of the same jobs.
    Raises StatsInputError where one says "impossible" and another "no evidence at all".
    """
    logs = _logs(log_e)
    if np.isposinf(logs).any() and np.isneginf(logs).any():
        raise StatsInputError("log_e", "holds infinity and minus infinity; their product is not")
    return float(logs.sum())


def p_value(log_e: float) -> float:
    """An anytime-valid p-value, min(1, 1/E)."""
    if math.isnan(log_e):
        raise StatsInputError("log_e", "is NaN")
    return math.exp(-max(log_e, 0.0))


def _logs(log_e: npt.ArrayLike) -> npt.NDArray[np.float64]:
    logs = real_array("log_e", log_e)
    if not logs.size:
        raise StatsInputError("log_e", "is empty; give at least one e-value")
    return logs
