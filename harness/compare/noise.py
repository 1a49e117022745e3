"""Two runs of one program as the two sides of a comparison, and shares per job and field. Pure.

The same rules and the same pairing judge an A/A comparison and the comparison that it is for, so
that a difference which a rule forgives is no noise either.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from harness.compare.cells import compared_fields
from harness.compare.comparison import Comparison
from harness.compare.kinds import LATENCY, VALUE_FIELDS
from harness.model import LIVE, Side, Verdict
from harness.stats.noise import FieldShares

_SENT = [f"sent_{name}" for name in VALUE_FIELDS]
_SUBMISSION = ["job_id", "directory"]


def runs_as_sides(submissions: pl.DataFrame, *, first: str, second: str) -> pl.DataFrame:
    """Return the submissions of two replay runs, `first` as the control of `second`.

    submissions: the frame of ``select_submissions``. What the sites of the first run received
    stands for what it sent, as it does for the second.
    """
    claimed = submissions.filter((pl.col("mode") == first) & (pl.col("side") == Side.CANDIDATE))
    received = submissions.filter((pl.col("mode") == first) & (pl.col("side") == Side.OBSERVED))
    control = (
        claimed.drop(_SENT)
        .join(received.select(*_SUBMISSION, *_SENT), on=_SUBMISSION, how="left")
        .with_columns(mode=pl.lit(LIVE), side=pl.lit(Side.CONTROL.value))
        .select(submissions.columns)
    )
    other = submissions.filter(
        (pl.col("mode") == second) & pl.col("side").is_in([Side.CANDIDATE, Side.OBSERVED])
    )
    return pl.concat([control, other])


def field_shares(
    compared: Comparison,
    repeated: Comparison,
    jobs: pl.DataFrame,
    *,
    mode: str,
    run: str,
    by: Sequence[str] = ("field",),
) -> dict[tuple[str, ...], FieldShares]:
    """Return, for each field in `by` order of its key, one share per job in the control's order.

    compared: the comparison of control and candidate, of which `mode` is looked at. repeated: that
    of `runs_as_sides`, in the mode of its second run, `run`. jobs: ``select_jobs``.
    by: ``("field",)``, or ``("field", "directory")`` for a row each.
    """
    by = list(by)
    keys = [*by, "job_id"]
    raw, noise = _counts(compared, mode, by), _counts(repeated, run, by)
    fields = pl.concat([raw["field"], noise["field"]]).unique()
    raw = raw.join(_pending(compared, mode, by, fields), on=keys, how="full", coalesce=True)
    order = jobs.select("job_id").with_row_index("place")
    rows = (
        raw.join(noise, on=keys, how="full", coalesce=True, suffix="_again")
        .join(order, on="job_id", how="inner")
        .sort(*by, "place")
        .with_columns(
            size=pl.col("n").fill_null(0) + pl.col("pending").fill_null(0),
            size_again=pl.col("n_again").fill_null(0),
        )
    )
    return {
        tuple(str(part) for part in key): _shares(part)
        for key, part in rows.group_by(by, maintain_order=True)
    }


def _counts(comparison: Comparison, mode: str, by: list[str]) -> pl.DataFrame:
    pairs = comparison.narrow
    inside = (pairs["mode"] == mode) & pairs["excluded_by"].is_null()
    places = [name for name in by if name != "field"]
    keys = pairs.select(*places, "job_id")
    counted = [pl.DataFrame(schema={"field": pl.String, **keys.schema, "n": pl.UInt32})]
    for name in compared_fields(comparison.rules):
        if name != LATENCY:
            numbers = comparison.compared(name).pairs
            here = keys[numbers.filter(inside.gather(numbers))]
            counts = here.group_by(*places, "job_id").agg(n=pl.len().cast(pl.UInt32))
            counted.append(counts.select(pl.lit(name).alias("field"), *keys.columns, "n"))
    differing = (
        comparison.differing.filter((pl.col("mode") == mode) & (pl.col("field") != LATENCY))
        .group_by(*by, "job_id")
        .agg(differing=pl.len().cast(pl.UInt32))
    )
    return (
        pl.concat(counted)
        .join(differing, on=[*by, "job_id"], how="left")
        .with_columns(pl.col("differing").fill_null(0))
    )


def _pending(comparison: Comparison, mode: str, by: list[str], fields: pl.Series) -> pl.DataFrame:
    """Submissions in flight, which may still differ in every field."""
    place = [name for name in by if name != "field"]
    return (
        comparison.narrow.filter(
            (pl.col("mode") == mode) & (pl.col("verdict") == Verdict.IN_FLIGHT)
        )
        .group_by(*place, "job_id")
        .agg(pl.len().alias("pending"))
        .join(fields.to_frame("field"), how="cross")
    )


def _shares(rows: pl.DataFrame) -> FieldShares:
    size, again = rows["size"].cast(pl.Float64), rows["size_again"].cast(pl.Float64)
    differing = rows["differing"].fill_null(0)
    pending = rows["pending"].fill_null(0)
    has_raw, has_noise = (size > 0).to_numpy(), (again > 0).to_numpy()
    return FieldShares(
        raw_low=(differing / size.clip(1)).to_numpy(),
        raw_high=((differing + pending) / size.clip(1)).to_numpy(),
        noise=(rows["differing_again"].fill_null(0) / again.clip(1)).to_numpy(),
        has_raw=has_raw,
        has_noise=has_noise,
    )
