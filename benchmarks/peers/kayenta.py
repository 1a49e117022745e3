"""How Kayenta's judge classifies one metric, written anew from a description of its rules.

Both sides are samples of one metric. An interval of the Hodges-Lehmann shift at 98 % is held
against a tolerance of 25 % *of the measured shift*, not of the control's level. Its judge looks
once and knows neither how often it has looked before nor how little it has seen.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from harness.stats.checks import FloatArray
from harness.stats.mann_whitney import mann_whitney

CONFIDENCE = 0.98
TOLERANCE = 0.25
EFFECT = 1.0
"""Ratio of the means from which on an increase counts."""
_JITTER = 1e-5


class Label(StrEnum):
    """What the judge says of a metric of which an increase is bad."""

    PASS = "Pass"
    HIGH = "High"
    LOW = "Low"
    NODATA = "Nodata"


def classify(control: FloatArray, experiment: FloatArray, *, replace_nan: bool = False) -> Label:
    """The label of one metric; samples need not be of one size, missing values are NaN.

    replace_nan: missing values count as 0 instead of being left out; a metric without any value on
    either side then passes.
    """
    if replace_nan:
        control, experiment = np.nan_to_num(control), np.nan_to_num(experiment)
    else:
        control, experiment = control[~np.isnan(control)], experiment[~np.isnan(experiment)]
    if not (control.size and experiment.size):
        return Label.PASS if replace_nan else Label.NODATA
    if np.array_equal(np.sort(control), np.sort(experiment)):
        return Label.PASS
    if np.ptp(control) == 0.0 and np.ptp(experiment) == 0.0:
        rng = np.random.default_rng(control.size + experiment.size)
        control = control + _JITTER * rng.random(control.size)
        experiment = experiment + _JITTER * rng.random(experiment.size)
    told = mann_whitney(control, experiment, alpha_total=1.0 - CONFIDENCE)
    level = float(control.mean())
    effect = float(experiment.mean()) / level if level else np.inf
    if told.low > TOLERANCE * abs(told.shift) and effect >= EFFECT:
        return Label.HIGH
    if told.high < -TOLERANCE * abs(told.shift) and effect <= EFFECT:
        return Label.LOW
    return Label.PASS
