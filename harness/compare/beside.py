"""What is compared beside the outcome: job status, attempts, address, listing, order. Pure.

None of this changes a verdict. The two systems differ here by design (one retries, one does not;
one works one directory after another), so a person looks at it and no gate decides by it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from harness.assessment import Beside
from harness.model import LIVE, Verdict

_DONE = ["submitted", "skipped"]
_COMPARED = [Verdict.AGREE.value, Verdict.MISMATCH.value]
_ENDS = ("control_finished_at", "candidate_finished_at")
_PATH = r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?[^/?#]*([^?#]*)"


def compare_beside(pairs: pl.DataFrame, jobs: pl.DataFrame) -> tuple[Beside, ...]:
    """One row a dimension and mode, production first.

    pairs: `Comparison.pairs`. jobs: ``select_jobs``, for the status that each side gave a job.
    """
    modes = pairs["mode"].unique().to_list()
    return tuple(
        beside
        for mode in sorted(modes, key=lambda mode: (mode != LIVE, mode))
        # Lazy, so that each dimension takes out the few columns that it looks at.
        for beside in _of_mode(mode, pairs.lazy().filter(pl.col("mode") == mode), jobs)
    )


def job_statuses(pairs: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """The status of each job on both sides, by one rule for both.

    Columns: mode, job_id, control_status, candidate_status: all_ok (every submission reached its
    directory), none_ok, partial, or open while a pair of the job is in flight. The systems' own
    words do not compare: the old "failed" means that any failed, the new one that all did.
    pairs: in the order of `Comparison.pairs`, in which those of a job are neighbours.
    """
    missing = {"control": Verdict.MISSING_CONTROL, "candidate": Verdict.MISSING_CANDIDATE}
    verdict = pl.col("verdict")

    def status(side: str) -> pl.Expr:
        return (
            pl.when("waiting").then(pl.lit("open"))
            .when(f"{side}_all").then(pl.lit("all_ok"))
            .when(f"{side}_any").then(pl.lit("partial"))
            .otherwise(pl.lit("none_ok"))
            .alias(f"{side}_status")
        )  # fmt: skip

    ok = {
        side: pl.col(f"{side}_outcome").is_in(_DONE).fill_null(False) & (verdict != lost.value)
        for side, lost in missing.items()
    }
    job = pl.struct("mode", "job_id")
    return (
        pairs.lazy()
        .filter(verdict != Verdict.EXCLUDED.value)
        .select("mode", "job_id", waiting=verdict == Verdict.IN_FLIGHT.value, **ok)
        # Numbers that ascend are far cheaper to group by than texts.
        .group_by(job.rle_id().set_sorted().alias("job"), maintain_order=True)
        .agg(
            pl.col("mode", "job_id").first(),
            pl.col("waiting").any(),
            pl.col(*ok).all().name.suffix("_all"),
            pl.col(*ok).any().name.suffix("_any"),
        )
        .select("mode", "job_id", *map(status, ok))
        .collect()
    )


def _of_mode(mode: str, pairs: pl.LazyFrame, jobs: pl.DataFrame) -> Iterator[Beside]:
    yield _job_status(mode, pairs, jobs)
    settled = pairs.filter(pl.col("verdict").is_in(_COMPARED))
    yield _attempts(mode, settled)
    yield _address(mode, settled)
    if mode == LIVE:
        # A replay chooses its own order, and lists nothing anywhere.
        yield _listing(mode, settled)
        yield _order(mode, settled)


def _job_status(mode: str, pairs: pl.LazyFrame, jobs: pl.DataFrame) -> Beside:
    statuses = job_statuses(pairs)
    closed = statuses.filter(pl.col("control_status") != "open")
    same = closed.filter(pl.col("control_status") == pl.col("candidate_status")).height
    note = "all, some or none of the directories, counted by one rule for both"
    if mode == LIVE:
        own = jobs.filter(pl.col("control_status") == pl.col("candidate_status"))
        alike = own.join(closed, on="job_id", how="semi").height
        note += f"; by each system's own word {alike} are the same"
    return Beside(
        name="job_status", title="Status of the whole job", mode=mode, unit="jobs",
        compared=closed.height, same=same, unknown=statuses.height - closed.height, note=note,
    )  # fmt: skip


def _attempts(mode: str, settled: pl.LazyFrame) -> Beside:
    counts = _counted(settled, "attempts")
    more, again = (
        counts.filter(pl.col(side) > 1)["pairs"].sum() for side in ("candidate", "control")
    )
    return _beside(
        "attempts", "Attempts", mode,
        # Between two looks of the recorder a row may begin and end: then nobody saw it begin.
        counts.with_columns(control=pl.when(pl.col("control") > 0).then("control")),
        f"the candidate tried {more} more than once, the control began {again} more than once",
    )  # fmt: skip


def _address(mode: str, settled: pl.LazyFrame) -> Beside:
    return _beside(
        "visited_path", "Address visited", mode,
        _counted(settled, "url").with_columns(_path("control"), _path("candidate")),
        "the path after the host; a trailing slash tells nothing",
    )  # fmt: skip


def _listing(mode: str, settled: pl.LazyFrame) -> Beside:
    submitted = settled.filter(pl.col("candidate_outcome") == "submitted")
    url = pl.col("candidate_listing_url")
    compared, told = submitted.select(compared=pl.len(), told=url.count()).collect().row(0)
    return Beside(
        name="listing_url", title="Address of the listing told", mode=mode, unit="submissions",
        compared=compared, same=told, unknown=0,
        note="by the candidate, where it submitted; the control records none",
    )  # fmt: skip


def _order(mode: str, settled: pl.LazyFrame) -> Beside:
    """Jobs whose directories ended in the same order on both sides."""
    ends = settled.select(pl.col("job_id").rle_id().alias("job"), *_ENDS).collect()
    timed = ends.drop_nulls(_ENDS)
    jobs = timed["job"].to_numpy()
    # Those of a job are neighbours and stay so, in the order in which they ended.
    old, new = (np.lexsort((timed[end].to_physical().to_numpy(), jobs)) for end in _ENDS)
    by_job = (
        timed.select(pl.col("job").set_sorted(), same=pl.Series(old == new))
        .group_by("job")
        .agg(pl.len().alias("n"), pl.col("same").all())
    )
    several = by_job.filter(pl.col("n") > 1)
    return Beside(
        name="order", title="Order in which directories ended", mode=mode, unit="jobs",
        compared=several.height, same=int(several["same"].sum()),
        unknown=ends["job"].n_unique() - several.height,
        note="the old poller works one after another, the new stack all at once",
    )  # fmt: skip


def _counted(settled: pl.LazyFrame, name: str) -> pl.DataFrame:
    """How many pairs have the same two values: control, candidate, pairs."""
    values = [pl.col(f"{side}_{name}").alias(side) for side in ("control", "candidate")]
    return settled.group_by(values).agg(pairs=pl.len()).collect()


def _beside(name: str, title: str, mode: str, counts: pl.DataFrame, note: str) -> Beside:
    known = counts.drop_nulls()
    alike = known.filter(pl.col("control") == pl.col("candidate"))
    compared = int(known["pairs"].sum())
    return Beside(
        name=name, title=title, mode=mode, unit="submissions", compared=compared,
        same=int(alike["pairs"].sum()), unknown=int(counts["pairs"].sum()) - compared, note=note,
    )  # fmt: skip


def _path(side: str) -> pl.Expr:
    """The path of a side's address."""
    url = pl.col(side).cast(pl.String).str.strip_chars()
    path = url.str.extract(_PATH, 1).str.strip_chars_end("/")
    return pl.when(path == "").then(pl.lit("/")).otherwise(path).alias(side)
