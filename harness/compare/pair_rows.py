"""Which rows of which side make a pair, by numbers that stand for the texts of the keys. Pure.

Texts are dear to join, group and sort by. Each job gets a number in the order of its creation and
each directory one in the order of its name, so that one whole number orders and names a pair of a
mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.parallel import side_by_side
from harness.compare.runs import heads_of
from harness.compare.texts import equals, places_in, written
from harness.model import LIVE, Side

TERMINAL = ["submitted", "failed", "skipped"]
"""Outcomes after which nothing more is to come."""
_OF_JOB = {
    "package_size": "package_size", "priority": "priority", "created_at": "created_at",
    "claimed_at": "claimed_at", "triggered_at": "triggered_at",
    "flow_started_at": "flow_started_at", "candidate_finished_at": "job_finished_at",
}  # fmt: skip
"""Columns of a job that its pairs have, and what they are called there."""

_NONE = np.int32(-1)

Rows: TypeAlias = npt.NDArray[np.signedinteger[Any]]
"""Row numbers in the submissions, or keys of pairs; of 32 bits where that is enough."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairKeys:
    """The key of each submission as a number, and what the numbers stand for.

    key: job number times the number of directories, plus directory number; shape (submissions,).
    jobs: texts by number, in the order of creation (unknown last) and name; NULL stands last.
    directories: texts by number, sorted; a NULL is ``""``.
    """

    key: Rows
    jobs: pl.Series
    directories: pl.Series

    @classmethod
    def of(cls, submissions: pl.DataFrame, jobs: pl.DataFrame) -> PairKeys:
        """Number the submissions. jobs: ``select_jobs``, one row a job."""
        (job, named), (directory, directories) = side_by_side(
            lambda numbered: numbered(),
            [
                partial(_numbered_jobs, submissions["job_id"], jobs),
                partial(_numbered_directories, submissions["directory"]),
            ],
            rows=submissions.height,
        )
        if (len(named) + 1) * len(directories) >= np.iinfo(np.int32).max:
            job = job.astype(np.int64)
        key = job * len(directories) + directory
        return cls(
            key=key,
            jobs=pl.concat([named, pl.Series("job_id", [None], pl.String)]),
            directories=directories.alias("directory"),
        )

    def texts(self, rows: pl.DataFrame) -> list[pl.Series]:
        """The columns job_id and directory of `pair_rows`."""
        width = max(len(self.directories), 1)
        key = rows["key"].to_numpy()
        return [
            self.jobs.gather(pl.Series(key // width)),
            self.directories.gather(pl.Series(key % width)),
        ]

    def of_job(self, jobs: pl.DataFrame, rows: pl.DataFrame) -> list[pl.Series]:
        """What `jobs` tell of the job of each pair; NULL where they do not know it."""
        width = max(len(self.directories), 1)
        # A job's columns are few beside its pairs', so that the texts are looked up once a job.
        told = self.jobs.to_frame().join(
            jobs.select("job_id", *_OF_JOB), on="job_id", how="left", maintain_order="left"
        )
        number = pl.Series(rows["key"].to_numpy() // width)
        return told.select([*_OF_JOB]).rename(_OF_JOB)[number].get_columns()


def _numbered_jobs(ids: pl.Series, jobs: pl.DataFrame) -> tuple[Rows, pl.Series]:
    """The number of each job, and their names by number; that of NULL is behind all of them."""
    heads, runs = heads_of(ids)
    named = (
        written(heads.drop_nulls().unique()).to_frame()
        .join(jobs.select("job_id", "created_at"), on="job_id", how="left")
        .sort("created_at", "job_id", nulls_last=True)["job_id"]
    )  # fmt: skip
    numbers = places_in(heads, named)
    return (numbers if runs is None else numbers[runs.to_numpy()]), named


def _numbered_directories(places: pl.Series) -> tuple[Rows, pl.Series]:
    """The number of each directory, and their names by number; NULL is at ``""``."""
    names = written(places.unique()).fill_null("").unique().sort()
    numbers = places_in(places, names)
    if places.has_nulls():
        # The empty name sorts first.
        numbers = np.where(numbers == len(names), 0, numbers)
    return numbers, names


def pair_rows(submissions: pl.DataFrame, keys: PairKeys) -> pl.DataFrame:
    """Return one row a pair: mode, key, and the row of each side in `submissions`.

    control, candidate, observed: row numbers, NULL where there is none. control_rows,
    control_differs: as `_controls` has them. Sorted by mode and key.
    """
    side, mode = submissions["side"], submissions["mode"]
    # A job without a name is nobody's: nothing may be paired with what it sent.
    named = submissions["job_id"].is_not_null()
    live = equals(mode, LIVE)
    controls = _controls(submissions, keys, live & named & equals(side, Side.CONTROL.value))
    of_candidate = equals(side, Side.CANDIDATE.value)
    of_site = named & equals(side, Side.OBSERVED.value)
    parts = []
    for name in sorted({LIVE, *mode.filter(of_candidate).unique()}):
        here = live if name == LIVE else equals(mode, name)
        candidates = (of_candidate & here).arg_true()
        key, control, candidate = _matched(
            controls["key"].to_numpy(),
            keys.key[candidates.to_numpy()],
            with_lone_controls=name == LIVE,
        )
        part = controls.select("control", "control_rows", "control_differs")[control].with_columns(
            pl.Series("key", key),
            candidates.cast(pl.UInt32).gather(candidate).alias("candidate"),
            mode=pl.lit(name),
        )
        sites = (of_site & here).arg_true()
        parts.append(_with_sites(part, sites, keys.key[sites.to_numpy()]))
    return pl.concat(parts)


def _controls(submissions: pl.DataFrame, keys: PairKeys, mask: pl.Series) -> pl.DataFrame:
    """One control row a directory; several rows with one host are counted in `control_rows`.

    Where they ended in different ways, no one of them speaks for the host: `control_differs`. Until
    all have ended, one that has not speaks for it: the host may yet turn out to contradict itself,
    and a pair that waits counts at its worst, while an excluded one would not count at all.
    """
    at = mask.arg_true().cast(pl.UInt32).to_numpy()
    key = keys.key[at]
    order = np.argsort(key, kind="stable")
    rows = pl.DataFrame({"key": key[order], "control": at[order]})
    again = rows["key"].diff().fill_null(1) == 0
    alone = {"control_rows": pl.lit(1, pl.UInt32), "control_differs": pl.lit(False)}
    if not again.any():
        return rows.with_columns(**alone)
    several = again | again.shift(-1, fill_value=False)
    rows = rows.with_columns(several=several)
    at_several = rows.filter("several")["control"]
    told = {name: written(submissions[name].gather(at_several)) for name in ("outcome", "unit")}
    done = pl.col("outcome").is_in(TERMINAL)
    spoken = (
        rows.filter("several")
        .with_columns(**told)
        .sort(done, "unit", maintain_order=True)
        .group_by("key", maintain_order=True)
        .agg(
            pl.col("control").first(),
            pl.len().cast(pl.UInt32).alias("control_rows"),
            (pl.col("outcome").filter(done).n_unique() > 1).alias("control_differs"),
        )
    )
    one = rows.filter(~pl.col("several")).drop("several").with_columns(**alone)
    return pl.concat([one, spoken]).sort("key")


def _matched(
    controls: Rows, candidates: Rows, *, with_lone_controls: bool
) -> tuple[Rows, pl.Series, pl.Series]:
    """Pair two sides by key: the keys, ascending, and the place of each in either side or NULL.

    controls: keys, ascending, each once. candidates: keys in any order. with_lone_controls: whether
    what has only one side is a pair; else only what both sides have.
    """
    candidate = np.argsort(candidates, kind="stable").astype(np.int32)
    key = candidates[candidate]
    control = np.searchsorted(controls, key).astype(np.int32)
    # Beyond the last control lies a key that none has.
    has_control = controls.take(control, mode="clip") == key if controls.size else key < 0
    if with_lone_controls:
        alone = np.ones(controls.size, dtype=bool)
        alone[control[has_control]] = False
        lone = np.flatnonzero(alone).astype(np.int32)
        control = np.where(has_control, control, _NONE)
        if lone.size:
            key = np.concatenate([key, controls[lone]])
            order = np.argsort(key, kind="stable")
            key = key[order]
            control = np.concatenate([control, lone])[order]
            candidate = np.concatenate([candidate, np.full_like(lone, _NONE)])[order]
    else:
        key, control, candidate = (each[has_control] for each in (key, control, candidate))
    return key, _places(control), _places(candidate)


def _places(numbers: Rows) -> pl.Series:
    """Row numbers to gather by; below zero is none."""
    places = pl.Series(numbers)
    return places.set(places < 0, None).cast(pl.UInt32)


def _with_sites(pairs: pl.DataFrame, sites: pl.Series, keys: Rows) -> pl.DataFrame:
    """Add `observed`, the row of what the site received."""
    if sites.is_empty():
        return pairs.with_columns(observed=pl.lit(None, pl.UInt32))
    table = pl.DataFrame({"key": keys, "observed": sites.cast(pl.UInt32)})
    return pairs.join(table, on="key", how="left", maintain_order="left")
