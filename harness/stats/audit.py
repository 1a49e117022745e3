"""How many of N recorded jobs may be bad if so many of n checked ones were: a label. No I/O."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from harness.stats.checks import FloatArray, StatsInputError, check_alpha, check_count


def hypergeometric_cdf(k: int, *, population: int, bad: int, checked: int) -> float:
    """P(at most k bad ones among those checked) if `bad` of `population` are; drawn at random.

    Raises StatsInputError unless bad and checked are at most population.
    """
    k, population = check_count("k", k), check_count("population", population)
    bad, checked = check_count("bad", bad), check_count("checked", checked)
    for name, value in (("bad", bad), ("checked", checked)):
        if value > population:
            raise StatsInputError(name, f"= {value} is more than population = {population}")
    least, most = max(0, checked + bad - population), min(checked, bad)
    if k >= most:
        return 1.0
    if k < least:
        return 0.0
    found = np.arange(least, k + 1)
    logs = (
        _log_choose(bad, found)
        + _log_choose(population - bad, checked - found)
        - _log_choose(population, np.asarray(checked))
    )
    return min(1.0, float(np.exp(logs).sum()))


def most_bad(population: int, *, checked: int, found: int, alpha: float) -> int:
    """Upper bound of the bad ones among `population` jobs, at one look planned in advance.

    The largest D with P(at most `found` of `checked` | D) >= alpha, one-sided. All checked: exact.
    Raises StatsInputError unless found <= checked <= population.
    """
    population = check_count("population", population)
    checked, found = check_count("checked", checked), check_count("found", found)
    check_alpha("alpha", alpha)
    if checked > population:
        raise StatsInputError("checked", f"= {checked} is more than population = {population}")
    if found > checked:
        raise StatsInputError("found", f"= {found} is more than checked = {checked}")
    possible, impossible = found, population - (checked - found) + 1
    while impossible - possible > 1:
        middle = (possible + impossible) // 2
        if hypergeometric_cdf(found, population=population, bad=middle, checked=checked) >= alpha:
            possible = middle
        else:
            impossible = middle
    return possible


def _log_choose(n: int, k: npt.NDArray[np.int64]) -> FloatArray:
    chosen: FloatArray = math.lgamma(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return chosen
