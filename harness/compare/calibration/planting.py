"""Plants mutants: each in a copy of its pair's rows, so that one comparison judges them all. Pure.

The verdict on a pair depends on its job and on the rows of its job and directory, and on nothing
else. So a copy under another job id is judged as the pair itself would be.
"""

from __future__ import annotations

import polars as pl

from harness.compare.calibration.kinds import ROW_KINDS
from harness.compare.kinds import VALUE_FIELDS
from harness.model import LIVE, Side

_MARK = "\x1f"


def copy_names(mutants: pl.DataFrame) -> pl.DataFrame:
    """The mutants with `copy`, the job id under which each is planted."""
    return mutants.with_columns(copy=pl.format(f"{{}}{_MARK}{{}}", "job_id", "mutant"))


def planted(
    submissions: pl.DataFrame, jobs: pl.DataFrame, mutants: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the submissions and jobs of all mutants' copies, in the shape in which they came.

    mutants: as in `Plan.mutants`, with `copy`.
    """
    rows = _changed(_with_faults(submissions, mutants).filter(pl.col("kind").is_not_null()))
    copied_jobs = jobs.join(mutants.select("job_id", "copy"), on="job_id", how="inner")
    return (
        rows.with_columns(job_id=pl.col("copy")).select(submissions.columns),
        copied_jobs.with_columns(job_id=pl.col("copy")).select(jobs.columns),
    )


def planted_in_place(submissions: pl.DataFrame, mutants: pl.DataFrame) -> pl.DataFrame:
    """Return all submissions, those of the mutants changed. mutants: at most one a pair."""
    mutants = mutants.with_columns(copy=pl.col("job_id"))
    return _changed(_with_faults(submissions, mutants)).select(submissions.columns)


def _with_faults(submissions: pl.DataFrame, mutants: pl.DataFrame) -> pl.DataFrame:
    """Each row once for every mutant of its pair: what is planted in it, NULL for nothing.

    A mutant is about the control's row and those of the other sides in its own mode.
    """
    wanted = mutants.select(
        "job_id", "directory", "copy", "kind", "field", "new_value", mutant_mode="mode"
    )
    about = ((pl.col("side") == Side.CONTROL.value) & (pl.col("mode") == LIVE)) | (
        pl.col("mode") == pl.col("mutant_mode")
    )
    return (
        submissions.with_columns(pl.col("directory").fill_null(""))
        .join(wanted, on=["job_id", "directory"], how="left", maintain_order="left")
        .with_columns(pl.when(about).then(name).alias(name) for name in ("kind", "field"))
    )


def _changed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as their faults leave them."""
    for kind in ROW_KINDS:
        hit = ((pl.col("kind") == kind.id) & (pl.col("side") == kind.side.value)).fill_null(False)
        if kind.drop:
            rows = rows.filter(~hit)
        else:
            rows = rows.with_columns(
                pl.when(hit)
                .then(new if isinstance(new, pl.Expr) else pl.lit(new))
                .otherwise(pl.col(column))
                .cast(rows.schema[column])
                .alias(column)
                for column, new in kind.columns.items()
            )
    said = pl.col("side").is_in([Side.CANDIDATE.value, Side.OBSERVED.value])
    return rows.with_columns(
        pl.when((pl.col("field") == f"values.{name}") & said & pl.col(f"sent_{name}").is_not_null())
        .then(pl.col("new_value"))
        .otherwise(pl.col(f"sent_{name}"))
        .alias(f"sent_{name}")
        for name in VALUE_FIELDS
    )
