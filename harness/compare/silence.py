"""How long a side has been silent, in time during which it could have been heard. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from harness.compare.seconds import seconds_of

BlindPeriod: TypeAlias = tuple[datetime | None, datetime | None]
"""From when to when a history could not be observed; None for all the time before, or until now."""


def silent_for_s(
    last_sign: pl.Expr,
    *,
    until: datetime,
    time_scale: float,
    blind: Sequence[BlindPeriod] = (),
) -> pl.Expr:
    """Return the seconds of scaled time from the last sign to the end of what could be heard.

    until: the moment up to which the record is complete. Silence counts only up to the first blind
    period that ends after the last sign: what was said in it was said unheard, and whatever comes
    after it may never be said again.
    """
    limits = [
        pl.when(last_sign < pl.lit(end) if end else pl.lit(True))
        .then(last_sign if start is None else pl.max_horizontal(last_sign, pl.lit(start)))
        .otherwise(pl.lit(until))
        for start, end in blind
    ]
    heard_until = pl.min_horizontal(pl.lit(until), *limits) if limits else pl.lit(until)
    return seconds_of(heard_until - last_sign) * time_scale
