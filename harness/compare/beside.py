"""What is compared beside the outcome: job status, attempts, address, listing, order. Pure.

None of this changes a verdict. The two systems differ here by design (one retries, one does not;
one works one directory after another), so a person looks at it and no gate decides by it.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from harness.assessment import Beside
from harness.compare.texts import places_in, written
from harness.model import LIVE, Verdict

_DONE = ["submitted", "skipped"]
_COMPARED = [Verdict.AGREE.value, Verdict.MISMATCH.value]
_LOOKED_AT = (
    "job_id", "verdict", "control_outcome", "candidate_outcome", "control_attempts",
    "candidate_attempts", "control_url", "candidate_url", "candidate_listing_url",
    "control_finished_at", "candidate_finished_at",
)  # fmt: skip
_ENDS = ("control_finished_at", "candidate_finished_at")
_PATH = r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?[^/?#]*([^?#]*)"


def compare_beside(pairs: pl.DataFrame, jobs: pl.DataFrame) -> tuple[Beside, ...]:
    """One row a dimension and mode, production first.

    pairs: `Comparison.pairs`. jobs: ``select_jobs``, for the status that each side gave a job.
    """
    modes = pairs["mode"].unique().to_list()
    pairs = pairs.select("mode", *_LOOKED_AT)
    return tuple(
        beside
        for mode in sorted(modes, key=lambda mode: (mode != LIVE, mode))
        for beside in _of_mode(
            mode, pairs if len(modes) == 1 else pairs.filter(pl.col("mode") == mode), jobs
        )
    )


def job_statuses(pairs: pl.DataFrame) -> pl.DataFrame:
    """The status of each job on both sides, by one rule for both.

    Columns: mode, job_id, control_status, candidate_status: all_ok (every submission reached its
    directory), none_ok, partial, or open while a pair of the job is in flight. The systems' own
    words do not compare: the old "failed" means that any failed, the new one that all did.
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
    return (
        pairs.filter(verdict != Verdict.EXCLUDED.value)
        .select("mode", "job_id", waiting=verdict == Verdict.IN_FLIGHT.value, **ok)
        .group_by("mode", "job_id")
        .agg(
            pl.col("waiting").any(),
            pl.col(*ok).all().name.suffix("_all"),
            pl.col(*ok).any().name.suffix("_any"),
        )
        .select("mode", "job_id", *map(status, ok))
        .sort("mode", "job_id")
    )


def _of_mode(mode: str, pairs: pl.DataFrame, jobs: pl.DataFrame) -> Iterator[Beside]:
    yield _job_status(mode, pairs, jobs)
    compared = pl.col("verdict").is_in(_COMPARED)
    # Mostly all of them are; a copy would take as much memory again.
    all_are = pairs.select(compared.all()).item()
    settled = pairs if all_are else pairs.filter(compared)
    yield _attempts(mode, settled)
    yield _address(mode, settled)
    if mode == LIVE:
        # A replay chooses its own order, and lists nothing anywhere.
        yield _listing(mode, settled)
        yield _order(mode, settled)


def _job_status(mode: str, pairs: pl.DataFrame, jobs: pl.DataFrame) -> Beside:
    statuses = job_statuses(pairs)
    closed = statuses.filter(pl.col("control_status") != "open")
    same = closed.filter(pl.col("control_status") == pl.col("candidate_status")).height
    note = "all, some or none of the directories, counted by one rule for both"
    if mode == LIVE:
        own = closed.select("job_id").join(
            jobs.select("job_id", "control_status", "candidate_status"), on="job_id"
        )
        alike = own.filter(pl.col("control_status") == pl.col("candidate_status")).height
        note += f"; by each system's own word {alike} are the same"
    return Beside(
        name="job_status", title="Status of the whole job", mode=mode, unit="jobs",
        compared=closed.height, same=same, unknown=statuses.height - closed.height, note=note,
    )  # fmt: skip


def _attempts(mode: str, settled: pl.DataFrame) -> Beside:
    more = settled.filter(pl.col("candidate_attempts") > 1).height
    again = settled.filter(pl.col("control_attempts") > 1).height
    return _beside(
        "attempts", "Attempts", mode,
        # Between two looks of the recorder a row may begin and end: then nobody saw it begin.
        settled.select(
            control=pl.when(pl.col("control_attempts") > 0).then("control_attempts"),
            candidate="candidate_attempts",
        ),
        f"the candidate tried {more} more than once, the control began {again} more than once",
    )  # fmt: skip


def _address(mode: str, settled: pl.DataFrame) -> Beside:
    return _beside(
        "visited_path", "Address visited", mode,
        pl.DataFrame({side: _paths(settled[f"{side}_url"]) for side in ("control", "candidate")}),
        "the path after the host; a trailing slash tells nothing",
    )  # fmt: skip


def _listing(mode: str, settled: pl.DataFrame) -> Beside:
    submitted = settled.filter(pl.col("candidate_outcome") == "submitted")
    told = submitted["candidate_listing_url"].count()
    return Beside(
        name="listing_url", title="Address of the listing told", mode=mode, unit="submissions",
        compared=submitted.height, same=told, unknown=0,
        note="by the candidate, where it submitted; the control records none",
    )  # fmt: skip


def _order(mode: str, settled: pl.DataFrame) -> Beside:
    """Jobs whose directories ended in the same order on both sides."""
    timed = settled.select("job_id", *_ENDS).drop_nulls(_ENDS)
    by_job = timed.group_by("job_id").agg(
        pl.len().alias("n"),
        (pl.col(_ENDS[0]).rank("ordinal") == pl.col(_ENDS[1]).rank("ordinal")).all().alias("same"),
    )
    several = by_job.filter(pl.col("n") > 1)
    return Beside(
        name="order", title="Order in which directories ended", mode=mode, unit="jobs",
        compared=several.height, same=int(several["same"].sum()),
        unknown=settled["job_id"].n_unique() - several.height,
        note="the old poller works one after another, the new stack all at once",
    )  # fmt: skip


def _beside(name: str, title: str, mode: str, sides: pl.DataFrame, note: str) -> Beside:
    known = sides.drop_nulls()
    return Beside(
        name=name, title=title, mode=mode, unit="submissions", compared=known.height,
        same=known.filter(pl.col("control") == pl.col("candidate")).height,
        unknown=sides.height - known.height, note=note,
    )  # fmt: skip


def _paths(urls: pl.Series) -> pl.Series:
    """The path of each address; each distinct one is looked at once."""
    known = written(urls.drop_nulls().unique()).to_frame("url")
    path = pl.col("url").str.strip_chars().str.extract(_PATH, 1).str.strip_chars_end("/")
    shown = pl.when(path == "").then(pl.lit("/")).otherwise(path)
    paths = known.select(shown.alias("path"))["path"]
    none = pl.Series("path", [None], pl.String)
    return pl.concat([paths, none]).gather(places_in(urls, known["url"]))
