"""A whole comparison of a million pairs beside datacompy's, on the same Parquet files.

Each contestant runs in a process of its own, in turn. datacompy (polars backend) joins the files
and counts the values that differ; ours reads the values a field at a time, applies the shipped
rules, gives each pair a verdict and clusters what is left. One cell in a hundred is changed so that
it means something else, and half of four fields are only written in another way. Without rules both
have to find the same cells, which is checked.

datacompy needs an older polars than ours, so it gets a virtual environment of its own in the folder
for temporary files; DATACOMPY_PYTHON names another. COMPARE_PAIRS=5000000 sets the size.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAIRS = 1_000_000
ROUNDS = 3
DATACOMPY = "1.1.0"
_HERE = Path(__file__).parent
_EACH = 20
"""Directories of a job."""
_SEED = 11


def run() -> None:
    """Measure both, check that they find the same, print the ratios."""
    python = datacompy_python()
    if python is None:
        print(
            f"compare_pairs: skipped, datacompy {DATACOMPY} cannot be installed here; "
            "name a Python that has it in DATACOMPY_PYTHON"
        )
        return
    pairs = int(os.environ.get("COMPARE_PAIRS", PAIRS))
    with tempfile.TemporaryDirectory(prefix="shadow-pairs-") as name:
        # In a process of its own: what it held would count as that of whom this one starts.
        subprocess.run(
            [sys.executable, "-m", "benchmarks.compare_pairs", name, str(pairs)], check=True
        )
        peer, ours = [python, str(_HERE / "peers" / "datacompy_pairs.py")], [
            sys.executable, "-m", "benchmarks.peers.our_pairs",
        ]  # fmt: skip
        theirs = contest([*peer, name, "cells"])
        found = contest([*ours, name, "plain"])
        same = theirs["cells"] == found["cells"]
        if not same:
            raise SystemExit(
                f"compare_pairs: not the same cells: {theirs['differing']} and {found['differing']}"
            )
        print(
            f"compare_pairs, {pairs:,} pairs of 10 fields: without rules both find the same "
            f"{sum(found['differing'].values()):,} differing cells"
        )
        told: dict[str, list[Mapping[str, Any]]] = {"peer": [], "ours": []}
        for _ in range(ROUNDS):
            told["peer"].append(contest([*peer, name, "count"]))
            told["ours"].append(contest([*ours, name, "rules"]))
    seconds = {side: median(runs, "seconds") for side, runs in told.items()}
    memory = {side: median(runs, "peak_mb") for side, runs in told.items()}
    print(
        f"compare_pairs: with rules, verdicts and clusters ours takes "
        f"{seconds['ours'] / seconds['peer']:.2f} times as long as datacompy {DATACOMPY}, which "
        f"counts ({seconds['ours']:.1f} s against {seconds['peer']:.1f} s), and "
        f"{memory['ours'] / memory['peer']:.2f} times its memory at the peak "
        f"({memory['ours']:,.0f} MB against {memory['peer']:,.0f} MB); medians of {ROUNDS}; "
        f"{told['ours'][0]['clusters']} clusters, {told['ours'][0]['mismatch']:,} mismatches"
    )


def datacompy_python() -> str | None:
    """A Python that has datacompy; None where it cannot be had."""
    if named := os.environ.get("DATACOMPY_PYTHON"):
        return named
    folder = Path(tempfile.gettempdir()) / f"shadow-datacompy-{DATACOMPY}"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*wanted, f"datacompy=={DATACOMPY}", "pyarrow"], check=False, capture_output=True
    )
    return str(python) if done.returncode == 0 else None


def contest(command: Sequence[str]) -> Mapping[str, Any]:
    """Run one contestant in a process of its own; its last line is JSON."""
    root = str(_HERE.parent)
    ended = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    told: Mapping[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def median(runs: Sequence[Mapping[str, Any]], key: str) -> float:
    """The median of one figure."""
    return statistics.median(float(one[key]) for one in runs)


def make_files(folder: Path, pairs: int) -> None:
    """Write control.parquet and candidate.parquet: job_id, directory, outcome and nine values."""
    import numpy as np
    import polars as pl

    chance = np.random.default_rng(_SEED)
    n = np.arange(pairs)
    job = n // _EACH
    control = pl.DataFrame({"n": n, "job": job}).select(
        job_id=pl.format("job-{}", pl.col("job").cast(pl.String).str.zfill(7)),
        directory=pl.format("site-{}.example", pl.col("n") % _EACH),
        outcome=pl.when(pl.col("n") % 10 == 0)
        .then(pl.lit("failed"))
        .otherwise(pl.lit("submitted")),
        name=pl.format("Maple Joinery {}", "job"),
        email=pl.format("desk{}@maple.example", "job"),
        phone=pl.format("+1202555{}", (pl.col("job") % 10_000).cast(pl.String).str.zfill(4)),
        website=pl.format("https://maple-{}.example", "job"),
        address=pl.format("{} Cooper Street", "job"),
        city=pl.format("Albany {}", pl.col("job") % 500),
        state=pl.lit("NY"),
        zip=(pl.col("job") % 90_000 + 10_000).cast(pl.String),
        category=pl.format("trade {}", pl.col("job") % 200),
    )
    candidate = control
    innocent = {
        "email": pl.col("email").str.to_uppercase(),
        "phone": pl.format("({}) {}-{}", pl.col("phone").str.slice(2, 3),
                           pl.col("phone").str.slice(5, 3), pl.col("phone").str.slice(8, 4)),
        "website": pl.format("{}/", "website"),
        "name": pl.format(" {}", "name"),
    }  # fmt: skip
    for field, written in innocent.items():
        mask = pl.Series(chance.random(pairs) < 0.5)
        candidate = candidate.with_columns(
            pl.when(mask).then(written).otherwise(pl.col(field)).alias(field)
        )
    other = pl.col("outcome").replace({"failed": "submitted", "submitted": "failed"})
    for field in control.columns[2:]:
        mask = pl.Series(chance.random(pairs) < 0.01)
        wrong = other if field == "outcome" else pl.format("{}7", field)
        candidate = candidate.with_columns(
            pl.when(mask).then(wrong).otherwise(pl.col(field)).alias(field)
        )
    control.write_parquet(folder / "control.parquet")
    candidate.write_parquet(folder / "candidate.parquet")


if __name__ == "__main__":
    make_files(Path(sys.argv[1]), int(sys.argv[2]))
