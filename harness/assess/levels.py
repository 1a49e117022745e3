"""Levels that must stay low, signs of the old system, and what is left of it. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl

from harness.gates.inputs import Level, Levels, OldPath
from harness.journal.reader import Reader
from harness.resources import sql_queries

_STUCK = ("lost_after_claim", "lost_after_trigger", "never_finished")


def sampled_levels(reader: Reader) -> dict[str, Levels]:
    """What samples saw of each level, by the measure of the gates that judge it."""
    queue = reader.rows(_queries()["select_queue_levels"])
    stale = reader.rows(_queries()["select_stale_levels"])
    return {
        "queue_depth": _sampled((at, queued) for at, queued, _ in queue),
        "dead_letter_depth": _sampled((at, dead) for at, _, dead in queue),
        "stale_workers": _sampled(stale),
    }


def stuck_jobs(jobs: pl.DataFrame, *, deadline_s: float, scale: float) -> Levels:
    """How many jobs were stuck at the candidate, from the first job on.

    jobs: with `fate`. A job is stuck from when its silence passed the deadline, and as long as it
    has no outcome.
    """
    begun = jobs["created_at"].min()
    if not isinstance(begun, datetime):
        return Levels(apart_s=None)
    signs = ["created_at", "claimed_at", "triggered_at", "flow_started_at"]
    stuck = jobs.filter(pl.col("fate").is_in(_STUCK)).select(at=pl.max_horizontal(signs))
    late = timedelta(seconds=deadline_s / scale)
    times = sorted(at.astimezone(UTC) + late for at in stuck["at"].to_list())
    return Levels(
        seen=(
            Level(at=begun.astimezone(UTC), value=0),
            *(Level(at=at, value=number) for number, at in enumerate(times, start=1)),
        ),
        apart_s=None,
    )


def old_path(reader: Reader) -> OldPath:
    """The newest sign of the old system."""
    for at, words in reader.rows(_queries()["select_old_path"]):
        seen = at.astimezone(UTC)
        return OldPath(at=seen, words=f"{words} at {seen:%d %B %H:%M} UTC")
    return OldPath(at=None)


def leftovers(reader: Reader, *, queued: int | None, dead: int | None) -> dict[str, int] | None:
    """What is left of the old system, by kind; None where the queues were never sampled.

    queued, dead: the depths that the newest sample saw.
    """
    if queued is None or dead is None:
        return None
    ((old, unknown),) = reader.rows(_queries()["count_leftovers"])
    return {
        "old_status": int(old),
        "other_writer": int(unknown),
        "queued": queued,
        "dead_letter": dead,
    }


def _sampled(rows: Iterable[tuple[datetime, int | None]]) -> Levels:
    return Levels(
        seen=tuple(
            Level(at=at.astimezone(UTC), value=int(value))
            for at, value in rows
            if value is not None
        )
    )


def _queries() -> dict[str, str]:
    return sql_queries("views/levels.sql")
