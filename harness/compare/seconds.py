"""Seconds of a column, the same whatever stands beside a row.

polars divides by a number exactly where a column (or a piece of it) has one row, and multiplies by
the reciprocal where it has more: a figure of one job would depend on who else is looked at.
Multiplying is the same everywhere. Figures that are shown leave the frame before they are divided:
numpy divides each exactly.
"""

from __future__ import annotations

import polars as pl


def seconds_of(span: pl.Expr) -> pl.Expr:
    """A duration in seconds."""
    return span.dt.total_microseconds() * 1e-6


def seconds_of_ms(milliseconds: pl.Expr) -> pl.Expr:
    """Milliseconds in seconds."""
    return milliseconds * 1e-3
