"""Our comparison over two Parquet files, as it compares what it reads from a journal."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks.peers.datacompy_pairs import digest
from harness.assess.criteria import load_criteria
from harness.compare.clusters import find_clusters
from harness.compare.comparison import compare_pairs
from harness.compare.pairing import join_sides, with_state
from harness.compare.rules import RuleSet
from harness.model import LIVE
from harness.settings import Settings

_SIDES = ("control", "candidate")
_WORDS = pl.Categorical(pl.Categories.random())
_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def main() -> None:
    """Compare the files of a folder: `rules` with all there is, `plain` without any rule."""
    folder, what = Path(sys.argv[1]), sys.argv[2]
    shipped = load_criteria(Settings()).rules
    began = time.perf_counter()
    submissions, jobs = frames(folder)
    rules = shipped if what == "rules" else RuleSet(version=1, rule=())
    pairs, sent = join_sides(submissions, jobs, documents=SentColumns(folder), use_up=True)
    del submissions, jobs
    pairs = with_state(pairs, as_of=_AT, deadline_s=3600.0, time_scale=1.0)
    comparison = compare_pairs(pairs, sent, rules)
    told: dict[str, object] = {
        "mismatch": comparison.narrow.filter(pl.col("verdict") == "mismatch").height
    }
    if what == "rules":
        told["clusters"] = len(find_clusters(comparison).clusters)
    told["seconds"] = time.perf_counter() - began
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    differing = comparison.differing.group_by("field").len()
    told["differing"] = {
        field.removeprefix("values."): count for field, count in differing.iter_rows()
    }
    if what == "plain":
        told["cells"] = {
            str(field).removeprefix("values."): digest(
                cells.select("job_id", "directory").iter_rows()
            )
            for (field,), cells in comparison.differing.group_by("field")
        }
    print(json.dumps(told))


class SentColumns:
    """What both sides sent, a column at a time: the rows of one file behind those of the other."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / f"{side}.parquet" for side in _SIDES]
        self._rows = pl.scan_parquet(self._files).select(pl.len()).collect().item()
        self._known = pl.read_parquet_schema(self._files[0])

    def __getitem__(self, column: str) -> pl.Series:
        """The column ``sent_…`` of a field."""
        name = column.removeprefix("sent_")
        if name not in self._known:
            return pl.Series(column, [None], pl.String).new_from_index(0, self._rows)
        files = (pl.read_parquet(file, columns=[name]) for file in self._files)
        return pl.concat(files)[name].alias(column)


def frames(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two files as the frames that a comparison takes, but for what was sent."""
    none, at = pl.lit(None, _WORDS), pl.lit(_AT)
    keys = pl.concat(
        pl.read_parquet(folder / f"{side}.parquet", columns=["job_id", "directory", "outcome"])
        .with_columns(pl.all().cast(_WORDS))
        .with_columns(side=pl.lit(side, _WORDS))
        for side in _SIDES
    )
    submissions = keys.with_columns(
        mode=pl.lit(LIVE, _WORDS), unit=pl.col("directory"), raw_status=pl.col("outcome"),
        error_class=pl.when(pl.col("outcome") == "failed").then(pl.lit("refused", _WORDS)),
        error_text=none, attempts=pl.lit(1, pl.Int32), started_at=at, finished_at=at,
        duration_ms=pl.lit(None, pl.Float64), url=none, listing_url=none,
        from_seq=pl.lit(1, pl.Int64), sent=pl.arange(keys.height, dtype=pl.UInt32),
    )  # fmt: skip
    none = pl.lit(None, pl.String)
    jobs = keys.select(pl.col("job_id").unique().cast(pl.String)).select(
        "job_id", customer_id=none, package_size=pl.lit(50, pl.Int32),
        priority=pl.lit(4, pl.Int32), created_at=at, control_status=none,
        control_started_at=at, control_finished_at=at, control_error=none, claimed_at=at,
        triggered_at=at, flow_started_at=at, candidate_finished_at=at, candidate_status=none,
        from_seq=pl.lit(1, pl.Int64),
    )  # fmt: skip
    return submissions, jobs


if __name__ == "__main__":
    main()
