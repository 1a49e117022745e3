"""The compared cells that differences are set against, as numbers and never as rows. Pure.

What is looked at of a cell is its pair's or its job's, but for the rules that touched it. So it is
numbered once for all pairs, and the cells of a field are the pairs that have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.comparison import Comparison
from harness.compare.descriptions import JOB, JOB_FEATURES, RULES, CodeArray, IntArray, Universe
from harness.compare.differing import job_stage
from harness.compare.runs import heads_of
from harness.model import Verdict


class Universes:
    """The compared cells of each mode and field, excluded pairs left out.

    rank: the place of each pair in the order of mode, creation of its job, job and directory.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        pairs = comparison.narrow
        self._codes: dict[str, CodeArray] = {}
        self._names: dict[str, list[str]] = {}
        created = pairs["created_at"]
        columns = {
            "mode": pairs["mode"], "directory": pairs["directory"],
            "archetype": pairs["archetype"], JOB: pairs["job_id"],
            "package": pairs["package_size"], "priority": pairs["priority"],
            "hour": created.dt.truncate("1h"),
        }  # fmt: skip
        for name, values in columns.items():
            self._codes[name], self._names[name] = encoded(values)
        self.rank = _rank(self._codes["mode"], created, self._codes[JOB], self._codes["directory"])
        self._counted = pairs["excluded_by"].is_null().to_numpy()
        self._last: tuple[IntArray, Universe] | None = None

    def of(self, mode: str, field: str) -> tuple[Universe, IntArray]:
        """The universe of a field, and the number of the pair of each of its cells, by rank."""
        compared = self._comparison.compared(field)
        cells = compared.pairs.to_numpy()
        code = self._names["mode"].index(mode) + 1
        inside = ((self._codes["mode"] == code) & self._counted)[cells]
        if not inside.all():
            cells = cells[inside]
        ranks = self.rank[cells]
        by_rank = None if (ranks[1:] > ranks[:-1]).all() else np.argsort(ranks)
        if by_rank is not None:
            cells = cells[by_rank]
        if self._last is None or not np.array_equal(self._last[0], cells):
            self._last = cells, self._bare(cells)
        bare = self._last[1]
        # The words of an outcome or error are what the rules map: the case itself, and no cause of
        # it.
        if not field.startswith("values.") or not any(compared.names):
            return bare, cells
        by = compared.by if inside.all() else compared.by[inside]
        codes, names = _joined(by if by_rank is None else by[by_rank], compared.names)
        universe = Universe(
            codes={**bare.codes, RULES: codes}, names={**bare.names, RULES: names}, bare=bare
        )
        return universe, cells

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
        mode, width = self._codes["mode"], len(self._names[JOB]) + 1
        job = mode.astype(np.int64) * width + self._codes[JOB]
        n = np.bincount(job[settled], minlength=(len(self._names["mode"]) + 1) * width)
        jobs = (n.reshape(-1, width) > 0).sum(axis=1)
        costly = settled & (verdict != Verdict.AGREE.value).to_numpy()
        of_mode = {name: int(jobs[code]) for code, name in enumerate(self._names["mode"], start=1)}
        return np.where(costly, n[job], 0), of_mode

    def _bare(self, cells: IntArray) -> Universe:
        """The universe of these pairs in a field that no rule touched."""
        codes, names = {RULES: np.zeros(cells.size, np.int32)}, {RULES: list[str]()}
        in_place = cells.size == self.rank.size and bool((cells[1:] > cells[:-1]).all())
        for name in ("directory", "archetype", *JOB_FEATURES, JOB):
            own = self._codes[name] if in_place else self._codes[name][cells]
            codes[name], names[name] = _present(own, self._names[name])
        return Universe(codes=codes, names=names)


def encoded(values: pl.Series) -> tuple[CodeArray, list[str]]:
    """Codes from 1 in the order of the texts, 0 for NULL; and the texts. A time is its hour."""
    heads, runs = heads_of(values)
    distinct = heads.drop_nulls().unique()
    texts = (
        distinct.dt.strftime("%Y-%m-%d %H:00")
        if distinct.dtype == pl.Datetime
        else distinct.cast(pl.String)
    )
    names = texts.sort()
    if values.dtype == pl.String:
        codes = heads.cast(pl.Enum(names)).to_physical().cast(pl.Int32) + 1
    else:
        places = texts.cast(pl.Enum(names)).to_physical().cast(pl.Int32) + 1
        codes = heads.replace_strict(distinct, places, default=None, return_dtype=pl.Int32)
    numbers = codes.fill_null(0).to_numpy()
    return (numbers if runs is None else numbers[runs.to_numpy()]), names.to_list()


def _joined(
    by: npt.NDArray[np.unsignedinteger[Any]], names: Sequence[Sequence[str]]
) -> tuple[CodeArray, list[str]]:
    """Codes for the rules that touched each cell, 0 for none, and their names."""
    told = [", ".join(one) for one in names]
    texts = sorted({*told} - {""})
    codes = np.array([texts.index(text) + 1 if text else 0 for text in told], np.int32)
    return _present(codes[by], texts)


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
