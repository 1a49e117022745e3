"""datacompy's polars backend over two Parquet files. Runs without the harness."""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path


def digest(cells: Iterable[tuple[str, ...]]) -> str:
    """One hash of cells of a field, whatever their order."""
    lines = "\n".join(sorted("|".join(cell) for cell in cells))
    return hashlib.sha256(lines.encode()).hexdigest()


def main() -> None:
    """Compare the files of a folder; `cells` also says how many cells differ, by field."""
    folder, what = Path(sys.argv[1]), sys.argv[2]
    import polars as pl
    from datacompy import PolarsCompare

    keys = ["job_id", "directory"]
    began = time.perf_counter()
    compared = PolarsCompare(
        pl.read_parquet(folder / "control.parquet"),
        pl.read_parquet(folder / "candidate.parquet"),
        join_columns=keys,
    )
    told = {"matching": compared.count_matching_rows()}
    told["seconds"] = time.perf_counter() - began
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if what == "cells":
        rows = compared.intersect_rows
        told["differing"] = {
            one["column"]: one["unequal_cnt"]
            for one in compared.column_stats
            if one["column"] not in keys
        }
        told["cells"] = {
            field: digest(rows.filter(~pl.col(f"{field}_match")).select(keys).iter_rows())
            for field in told["differing"]
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
