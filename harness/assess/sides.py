"""All compared fields of the pairs of one job, agreeing ones too, side by side."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from harness.compare.comparison import Comparison, cells_of, difference_id

_PAIR = ["mode", "job_id", "directory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSides:
    """One compared field of one pair."""

    id: str
    """That of its difference, or what it would be."""
    field: str
    differs: bool
    control_raw: str | None
    candidate_raw: str | None
    control_value: str | None
    """After the rules."""
    candidate_value: str | None
    rules: tuple[str, ...]
    """Names of the rules that touched it."""
    cluster: str
    """Id of the cluster of its difference; empty where it agrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSides:
    """One pair and all its compared fields."""

    mode: str
    job_id: str
    directory: str
    verdict: str
    fields: tuple[FieldSides, ...]
    """None of a pair that is still in flight."""

    @property
    def differs(self) -> bool:
        """Whether a field differs."""
        return any(one.differs for one in self.fields)


def sides_of(comparison: Comparison, members: pl.DataFrame, job_id: str) -> tuple[PairSides, ...]:
    """The pairs of `job_id`, production first, in the order of their directories.

    members: `Clustering.members`.
    """
    pairs = comparison.pairs.filter(pl.col("job_id") == job_id)
    named = cells_of(pairs, comparison.rules).join(
        members, on=[*_PAIR, "field"], how="left", maintain_order="left"
    ).sort("field")  # fmt: skip
    fields: dict[tuple[str, str], list[FieldSides]] = {}
    for row in named.iter_rows(named=True):
        fields.setdefault((row["mode"], row["directory"]), []).append(
            FieldSides(
                id=difference_id(row["mode"], job_id, row["directory"], row["field"]),
                field=row["field"],
                differs=row["differs"],
                control_raw=row["control_raw"],
                candidate_raw=row["candidate_raw"],
                control_value=row["control_value"],
                candidate_value=row["candidate_value"],
                rules=tuple(row["touched"]),
                cluster=row["cluster"] or "",
            )
        )
    keys = pairs.select("mode", "directory", "verdict").rows()
    return tuple(
        PairSides(
            mode=mode,
            job_id=job_id,
            directory=directory,
            verdict=verdict,
            fields=tuple(fields.get((mode, directory), ())),
        )
        for mode, directory, verdict in sorted(keys, key=lambda key: (key[0] != "live", *key))
    )
