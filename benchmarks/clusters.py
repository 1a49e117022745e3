"""100,000 differences among 500,000 compared values into described clusters, in seconds.

The peer is putting the same differences into words one by one, which a report does anyway.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from benchmarks.measure import compare, tell
from harness.compare.clusters import find_clusters
from harness.compare.comparison import Comparison, differences
from harness.compare.kinds import VALUE_FIELDS
from harness.compare.rules import RuleSet
from harness.compare.sent import SENT_SIDES

JOBS = 50_000
PER_JOB = 10
DIRECTORIES = 120
DIFFERENCES = 100_000
_START = datetime(2026, 11, 2, tzinfo=UTC)
_CAUSES = (
    ("", ""),
    ("refused", "no success words on the final page"),
    ("timeout", "Page.click: Timeout 10000ms exceeded."),
    ("selector_missing", "Page.fill: no element [name='zip']"),
    ("selector_missing", "Page.fill: no element [name='phone']"),
    ("captcha", "Page.click: <iframe title='reCAPTCHA'> intercepts pointer events"),
    ("navigation", "Page.goto: net::ERR_CONNECTION_RESET"),
)
_KEYS = ["mode", "job_id", "directory"]


def run() -> None:
    """Print the ratio and both medians."""
    found = make_comparison()
    clusters = find_clusters(found).clusters
    measured = compare(
        lambda: find_clusters(found),
        lambda: differences(found),
        rounds=5,
    )
    tell(
        f"{DIFFERENCES:,} differences among {found.pairs.height:,} values into "
        f"{len(clusters)} clusters", "the search", "putting them into words", measured,
    )  # fmt: skip


def make_comparison(seed: int = 2025) -> Comparison:
    """A comparison with planted causes: changed forms, a package, an hour, lost jobs, noise."""
    rng = np.random.default_rng(seed)
    n = JOBS * PER_JOB
    job = np.repeat(np.arange(JOBS), PER_JOB)
    first = rng.integers(0, DIRECTORIES, JOBS)
    host = (first[job] + np.tile(np.arange(PER_JOB), JOBS)) % DIRECTORIES
    package = rng.choice([50, 100, 300, 500], JOBS)[job]
    hour = job * 168 // JOBS
    lost = rng.random(JOBS) < 0.02
    cause = np.where(rng.random(n) < 0.08, rng.choice([1, 2, 3], n), 0)
    hit = rng.random(n)
    cause[(host % 10 == 0) & (hit < 0.9)] = 4
    cause[(host % 10 == 1) & (package == 300) & (hit < 0.8)] = 5
    cause[(hour >= 30) & (hour < 36) & (hit < 0.7)] = 6
    failed = cause > 0
    silent = lost[job]
    differs = failed | silent
    # Exactly so many, so that the figure is of what its name says.
    surplus = np.flatnonzero(failed & ~silent)
    excess = int(differs.sum()) - DIFFERENCES
    if excess > 0:
        differs[rng.choice(surplus, excess, replace=False)] = False
    silent &= differs
    error = np.array([error for error, _ in _CAUSES])[cause]
    text = np.array([text for _, text in _CAUSES])[cause]
    created = [_START + timedelta(hours=h) for h in range(168)]
    frame = pl.DataFrame(
        {
            "mode": np.full(n, "live"),
            "job_id": np.char.mod("%08d-job", job),
            "directory": np.char.mod("site-%d.example", host),
            "created_at": pl.Series(created)[hour],
            "differs": differs,
            "silent": silent,
            "candidate_error_class": error,
            "candidate_error_text": text,
            "package_size": package,
            "priority": package // 100,
        }
    )
    bad = pl.col("differs") & ~pl.col("silent")
    none = pl.lit(None, pl.String)
    time = pl.col("created_at")
    pairs = frame.select(
        *_KEYS, "created_at", "package_size", "priority",
        control_outcome=pl.lit("submitted"),
        candidate_outcome=pl.when(bad).then(pl.lit("failed")).when("silent").then(none)
        .otherwise(pl.lit("submitted")),
        control_error_class=none, control_error_text=none,
        candidate_error_class=pl.when(bad).then("candidate_error_class"),
        candidate_error_text=pl.when(bad).then("candidate_error_text"),
        candidate_attempts=pl.when("silent").then(0).otherwise(1),
        claimed_at=pl.when(~pl.col("silent")).then(time),
        triggered_at=pl.when(~pl.col("silent")).then(time),
        flow_started_at=pl.when(~pl.col("silent")).then(time),
        control_finished_at=time, candidate_finished_at=pl.when(~pl.col("silent")).then(time),
        control_from_seq=pl.lit(1), candidate_from_seq=pl.lit(2),
        excluded_by=none, control_raw_status=pl.lit("submitted"),
        candidate_raw_status=pl.when(bad).then(pl.lit("failed")).when("silent").then(none)
        .otherwise(pl.lit("submitted")),
        state=pl.when("silent").then(pl.lit("missing_candidate")).otherwise(pl.lit("settled")),
        verdict=pl.when("silent").then(pl.lit("missing_candidate"))
        .when("differs").then(pl.lit("mismatch")).otherwise(pl.lit("agree")),
        **{f"{side}_{name}": none for side in SENT_SIDES for name in VALUE_FIELDS},
    )  # fmt: skip
    return Comparison(pairs=pairs, rules=RuleSet(version=1))


if __name__ == "__main__":
    run()
