"""All differences of one assessment in columns: filtered, sorted and grouped without a loop. Pure.

`Rows` is made once an assessment, in a worker thread; `select` takes milliseconds for 100,000s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import attrgetter

import numpy as np
import polars as pl

from harness.assessment import Cluster, Difference
from harness.model import ErrorClass
from harness.tui.filtering import Filter, Term
from harness.tui.listing import Group, Listing, Order, Places

UNLABELLED = "none"
"""What ``label:`` calls a difference of which nobody has said what it comes from."""
_COLUMN_OF = {"what": "kind", "newest": "seq"}
_EXACT = ("kind", "field", "directory", "mode", "cluster", "label")
_EITHER = {"class": ("control_class", "candidate_class"),
           "outcome": ("control_outcome", "candidate_outcome")}  # fmt: skip
_CLASSES = frozenset(ErrorClass)
_TEXTS = ("kind", "directory", "field", "job_id", "mode", "control_raw", "candidate_raw",
          "control_value", "candidate_value", "explanation")  # fmt: skip


class Rows:
    """The differences of an assessment. Thread-safe."""

    def __init__(self, differences: Sequence[Difference], clusters: Sequence[Cluster] = ()) -> None:
        self.differences = differences
        self.clusters = clusters
        self._guard = threading.Lock()
        labels = {one.id: one.triage.label.value for one in clusters if one.triage}
        self._frame = pl.DataFrame(
            {
                "id": _column(differences, "id"),
                "kind": _column(differences, "kind"),
                "field": _column(differences, "field"),
                "directory": _column(differences, "directory"),
                "job": _column(differences, "job_id"),
                "mode": _column(differences, "mode"),
                "cluster": _column(differences, "cluster"),
                "label": pl.Series([_label(one, labels) for one in differences], dtype=pl.String),
                "seq": pl.Series([one.seq for one in differences], dtype=pl.Int64),
                **_sides(differences, "class", _classes),
                **_sides(differences, "outcome", _outcomes),
            }
        ).with_row_index("row")

    def __len__(self) -> int:
        return len(self.differences)

    def place(self, difference_id: str) -> int | None:
        """Where in `differences` it stands; None if it is gone."""
        found = self._frame["id"].index_of(difference_id)
        return None if found is None else int(found)

    @cached_property
    def values(self) -> Mapping[str, Sequence[str]]:
        """By name of the filter, what occurs: sorted, as a filter writes it."""
        names = {name: (name,) for name in (*_EXACT, "job")} | _EITHER
        return {
            name: pl.concat([self._frame[column] for column in columns])
            .drop_nulls().unique().to_frame("v").select(_written("v"))["v"]
            .unique().sort().to_list()
            for name, columns in names.items()
        }  # fmt: skip

    def select(
        self, wanted: Filter, order: Order, *, grouped: bool, since_seq: Mapping[str, int]
    ) -> Listing:
        """Those that match every term of `wanted`, in `order`, under their clusters if `grouped`.

        since_seq: for each duration that `wanted` names, the last seq before that time began.
        """
        kept = self._frame
        for term in wanted.terms:
            kept = kept.filter(self._holds(term, kept, since_seq))
        kept = self._sorted(kept, order)
        if not grouped:
            return Listing(self.differences, _places(kept))
        rank = {one.id: number for number, one in enumerate(self.clusters)}
        last = len(rank)
        kept = kept.with_columns(
            rank=pl.col("cluster").replace_strict(rank, default=last, return_dtype=pl.UInt32)
        ).sort("rank", maintain_order=True)
        counts = kept.group_by("rank", maintain_order=True).len()
        groups: list[Group] = []
        start = 0
        for number, shown in counts.iter_rows():
            cluster = self.clusters[number] if number < last else None
            groups.append(Group(cluster, start, shown))
            start += shown
        return Listing(self.differences, _places(kept), tuple(groups))

    def _holds(self, term: Term, kept: pl.DataFrame, since_seq: Mapping[str, int]) -> pl.Series:
        holds = kept.select(self._expression(term, kept, since_seq).alias("holds"))["holds"]
        holds = holds.fill_null(False)
        return ~holds if term.negated else holds

    def _expression(self, term: Term, kept: pl.DataFrame, since_seq: Mapping[str, int]) -> pl.Expr:
        match term.name:
            case None:
                text = self._text.gather(kept["row"])
                return pl.lit(text).str.contains(term.wanted, literal=True)
            case "since":
                return pl.col("seq") > since_seq[term.wanted]
            case "dir":
                return _written("directory").str.contains(term.wanted, literal=True)
            case "job":
                return _written("job").str.starts_with(term.wanted)
            case "class" | "outcome":
                return pl.any_horizontal(
                    _written(column) == term.wanted for column in _EITHER[term.name]
                )
            case _:
                return _written(term.name) == term.wanted

    @property
    def _text(self) -> pl.Series:
        # Made when it is first searched: it is as large as everything else together.
        with self._guard:
            return self._searched

    @cached_property
    def _searched(self) -> pl.Series:
        columns = {name: _column(self.differences, name) for name in _TEXTS}
        columns["words"] = columns["kind"].str.replace_all("_", " ", literal=True)
        joined = pl.concat_str(*columns, separator="\n", ignore_nulls=True)
        return pl.DataFrame(columns).select(joined.str.to_lowercase().alias("text"))["text"]

    def _sorted(self, kept: pl.DataFrame, order: Order) -> pl.DataFrame:
        if order.by is None:
            return kept[::-1] if order.descending else kept
        if order.by in ("old", "new"):
            name = "control_value" if order.by == "old" else "candidate_value"
            shown = [getattr(self.differences[row], name) for row in kept["row"]]
            kept = kept.with_columns(pl.Series(order.by, shown, dtype=pl.String))
        # The newest first is what a person means by that word.
        down = order.descending != (order.by == "newest")
        column = _COLUMN_OF.get(order.by, order.by)
        return kept.sort(column, descending=down, nulls_last=True, maintain_order=True)


def _column(differences: Sequence[Difference], name: str) -> pl.Series:
    return pl.Series(name, list(map(attrgetter(name), differences)), dtype=pl.String)


def _sides(
    differences: Sequence[Difference],
    name: str,
    of: Callable[[Difference], tuple[str | None, str | None]],
) -> dict[str, pl.Series]:
    pairs = list(map(of, differences))
    return {
        f"{side}_{name}": pl.Series([pair[at] for pair in pairs], dtype=pl.String)
        for at, side in enumerate(("control", "candidate"))
    }


def _classes(one: Difference) -> tuple[str | None, str | None]:
    """The error class of either side, where the difference tells it."""
    if one.field == "error":
        return one.control_value, one.candidate_value
    return None, one.kind if one.kind in _CLASSES else None


def _outcomes(one: Difference) -> tuple[str | None, str | None]:
    return (one.control_value, one.candidate_value) if one.field == "outcome" else (None, None)


def _label(one: Difference, of_cluster: Mapping[str, str]) -> str:
    return one.triage.label.value if one.triage else of_cluster.get(one.cluster, UNLABELLED)


def _written(column: str) -> pl.Expr:
    """As a filter writes it: in lower case, without blanks."""
    return pl.col(column).str.to_lowercase().str.replace_all(" ", "_", literal=True)


def _places(kept: pl.DataFrame) -> Places:
    return kept["row"].to_numpy().astype(np.uint32)
