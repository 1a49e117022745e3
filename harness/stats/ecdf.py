"""The distribution of a latency as a curve to draw. Pure; bounds are `harness.stats.quantiles`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.checks import FloatArray
from harness.stats.quantiles import Distribution

MOST_POINTS = 200


def drawn_ecdf(known: Distribution) -> tuple[tuple[float, float], ...]:
    """Seconds and the share that has ended by then, both rising; at most MOST_POINTS points.

    A running job counts among those at risk for as long as it is known to have run, a lost one for
    ever, so that the curve of a side that loses jobs stays below 1.
    Empty where nothing has ended. Its steps are the percentiles of `quantile_bounds`.
    """
    times, shares = known.times, known.ended
    if not times.size:
        return ()
    kept = _kept(times, shares)
    # Rounding of a product of thousands of factors must not leave [0, 1].
    return tuple(
        (float(time), min(1.0, round(float(share), 9)))
        for time, share in zip(times[kept], shares[kept], strict=True)
    )


def _kept(times: FloatArray, shares: FloatArray) -> npt.NDArray[np.intp]:
    """Half of the points evenly over the shares, half over the times as a logarithm shows them:
    the first alone would lose the tail, the second the middle."""
    if times.size <= MOST_POINTS:
        return np.arange(times.size)
    half = MOST_POINTS // 2
    scaled = np.log(np.maximum(times, 1e-3))
    places = [
        np.searchsorted(values, np.linspace(values[0], values[-1], half))
        for values in (shares, scaled)
    ]
    return np.unique(np.minimum(np.concatenate(places), times.size - 1))
