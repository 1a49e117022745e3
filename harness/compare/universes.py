"""The compared cells that differences are set against, as numbers and never as rows. Pure.

What is looked at of a cell is its pair's or its job's, but for the rules that touched it. So it is
numbered once for all pairs, and the cells of a field are the pairs that have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.comparison import Comparison
from harness.compare.descriptions import JOB, JOB_FEATURES, RULES, CodeArray, IntArray, Universe
from harness.compare.differing import job_stage
from harness.compare.runs import runs_of
from harness.model import Verdict

_OF_JOB = {
    "mode": "mode", "package": "package_size", "priority": "priority", "hour": "created_at",
}  # fmt: skip
"""Features that all pairs of a job and mode share, and the columns of a pair that tell them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inside:
    """The compared cells of a field in one mode, by rank.

    cells: numbers of their pairs. at: by the number of a pair, the place of its cell in `cells`.
    places: theirs among all compared cells of the field; None where they are all of them, in the
    same order. bare: as where no rule touched any.
    """

    cells: IntArray
    at: CodeArray
    places: IntArray | None
    bare: Universe

    def of(self, by: npt.NDArray[np.unsignedinteger[Any]]) -> npt.NDArray[np.unsignedinteger[Any]]:
        """What is told of all compared cells, for these."""
        return by if self.places is None else by[self.places]


class Universes:
    """The compared cells of each mode and field, excluded pairs left out.

    rank: the place of each pair in the order of mode, creation of its job, job and directory.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        pairs = comparison.narrow
        created = pairs["created_at"]
        begins, runs = runs_of([pairs["mode"], pairs["job_id"]])
        numbers = runs.to_numpy()
        coded = {name: encoded(pairs[name]) for name in ("directory", "archetype")}
        for name, column in _OF_JOB.items():
            codes, names = encoded(pairs[column].filter(begins))
            coded[name] = codes.take(numbers), names
        self._codes = {name: codes for name, (codes, _) in coded.items()}
        self._names = {name: names for name, (_, names) in coded.items()}
        self._codes[JOB] = _places(pairs["job_id"].filter(begins)).take(numbers)
        self.rank = _rank(self._codes["mode"], created, self._codes[JOB], self._codes["directory"])
        self._counted = pairs["excluded_by"].is_null().to_numpy()
        self._one_at_a_time = Lock()
        self._last: tuple[tuple[str, pl.Series], Inside] | None = None

    def of(self, mode: str, field: str) -> tuple[Universe, Inside]:
        """The universe of a field, and which pairs its cells belong to."""
        compared = self._comparison.compared(field)
        with self._one_at_a_time:
            inside = self._inside(mode, compared.pairs)
        # The words of an outcome or error are what the rules map: the case itself, and no cause of
        # it.
        if not field.startswith("values.") or not any(compared.names):
            return inside.bare, inside
        codes, names = _joined(inside.of(compared.by), compared.names)
        bare = inside.bare
        universe = Universe(
            codes={**bare.codes, RULES: codes}, names={**bare.names, RULES: names}, bare=bare
        )
        return universe, inside

    def _inside(self, mode: str, pairs: pl.Series) -> Inside:
        """The cells of these pairs in a mode. Mostly each field has those that the last one had."""
        if self._last is not None:
            (last_mode, last_pairs), inside = self._last
            if last_mode == mode and last_pairs.equals(pairs):
                return inside
        numbers = pairs.to_numpy()
        code = self._names["mode"].index(mode) + 1
        places = ((self._codes["mode"] == code) & self._counted)[numbers].nonzero()[0]
        cells = numbers if places.size == numbers.size else numbers[places]
        ranks = self.rank[cells]
        if not (ranks[1:] > ranks[:-1]).all():
            by_rank = np.argsort(ranks)
            places, cells = places[by_rank], cells[by_rank]
        at = np.zeros(self.rank.size, np.int32)
        at[cells] = np.arange(cells.size, dtype=np.int32)
        inside = Inside(
            cells=cells,
            at=at,
            places=None if cells is numbers else places,
            bare=self._bare(cells),
        )
        self._last = (mode, pairs), inside
        return inside

    def stages(self, cells: IntArray) -> pl.Series:
        """How far the candidate got with the job of each cell. cells: numbers of pairs."""
        signs = self._comparison.narrow.select("flow_started_at", "triggered_at", "claimed_at")
        return signs.select(stage=job_stage())["stage"].gather(pl.Series(cells))

    def settled(self) -> tuple[IntArray, dict[str, int]]:
        """For each pair that disagrees, the settled pairs of its job; and the jobs of each mode.

        0 for a pair that agrees, waits or is set apart. A job of n settled pairs counts 1/n for
        each, and each of J jobs of a mode the same, so that a pair costs 1/(n · J) of agreement.
        """
        pairs = self._comparison.narrow
        verdict = pairs["verdict"]
        waits = verdict.is_in([Verdict.IN_FLIGHT.value, Verdict.EXCLUDED.value])
        settled = (~waits & pairs["created_at"].is_not_null()).to_numpy()
        mode, width = self._codes["mode"], int(self._codes[JOB].max(initial=0)) + 1
        job = mode.astype(np.int64) * width + self._codes[JOB]
        n = np.bincount(job[settled], minlength=(len(self._names["mode"]) + 1) * width)
        jobs = (n.reshape(-1, width) > 0).sum(axis=1)
        costly = settled & (verdict != Verdict.AGREE.value).to_numpy()
        of_mode = {name: int(jobs[code]) for code, name in enumerate(self._names["mode"], start=1)}
        found = np.zeros(job.size, n.dtype)
        found[costly] = n[job[costly]]
        return found, of_mode

    def _bare(self, cells: IntArray) -> Universe:
        """The universe of these pairs in a field that no rule touched."""
        codes, names = {RULES: np.zeros(cells.size, np.int32)}, {RULES: list[str]()}
        in_place = cells.size == self.rank.size and bool((cells[1:] > cells[:-1]).all())
        for name in ("directory", "archetype", *JOB_FEATURES, JOB):
            codes[name] = self._codes[name] if in_place else self._codes[name].take(cells)
            if name != JOB:
                codes[name], names[name] = _present(codes[name], self._names[name])
        return Universe(codes=codes, names=names)


def encoded(values: pl.Series) -> tuple[CodeArray, list[str]]:
    """Codes from 1 in the order of the texts, 0 for NULL; and the texts. A time is its hour."""
    if values.null_count() == len(values):
        return np.zeros(len(values), np.int32), []
    if values.dtype == pl.Datetime:
        values = values.dt.truncate("1h")
    distinct = values.drop_nulls().unique()
    texts = (
        distinct.dt.strftime("%Y-%m-%d %H:00")
        if distinct.dtype == pl.Datetime
        else distinct.cast(pl.String)
    )
    names = texts.sort()
    if values.dtype == pl.String:
        codes = values.cast(pl.Enum(names)).to_physical().cast(pl.Int32) + 1
    else:
        places = texts.cast(pl.Enum(names)).to_physical().cast(pl.Int32) + 1
        codes = values.replace_strict(distinct, places, default=None, return_dtype=pl.Int32)
    return codes.fill_null(0).to_numpy(), names.to_list()


def _places(texts: pl.Series) -> CodeArray:
    """Codes from 1 in the order of the texts, 0 for NULL."""
    return texts.rank("dense").fill_null(0).cast(pl.Int32).to_numpy()


def _joined(
    by: npt.NDArray[np.unsignedinteger[Any]], names: Sequence[Sequence[str]]
) -> tuple[CodeArray, list[str]]:
    """Codes for the rules that touched each cell, 0 for none, and their names."""
    occurs = np.bincount(by, minlength=len(names)) > 0
    told = [", ".join(one) if here else "" for one, here in zip(names, occurs, strict=True)]
    texts = sorted({*told} - {""})
    codes = np.array([texts.index(text) + 1 if text else 0 for text in told], np.int32)
    return codes.take(by), texts


def _present(codes: CodeArray, names: list[str]) -> tuple[CodeArray, list[str]]:
    """The same codes among the names that occur, and these."""
    occurs = np.bincount(codes, minlength=len(names) + 1) > 0
    occurs[0] = True
    if occurs.all():
        return codes, names
    places = (np.cumsum(occurs) - 1).astype(np.int32)
    return places[codes], [name for name, here in zip(names, occurs[1:], strict=True) if here]


def _rank(mode: CodeArray, created: pl.Series, job: CodeArray, directory: CodeArray) -> IntArray:
    unknown = np.iinfo(np.int64).max
    at = created.to_physical().fill_null(unknown).to_numpy()
    keys = (mode, at, job, directory)
    ascending = np.zeros(max(mode.size - 1, 0), dtype=bool)
    same = ~ascending
    for key in keys:
        ascending |= same & (key[:-1] < key[1:])
        same &= key[:-1] == key[1:]
    rank = np.arange(mode.size)
    if not (ascending | same).all():
        rank[np.lexsort(keys[::-1])] = np.arange(mode.size)
    return rank
