"""What the journal says about its own recording and about replays. Reads, computes nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.assessment import RecordingHealth, ReplayProgress
from harness.journal.reader import Reader
from harness.resources import sql_queries


def recording_health(reader: Reader, *, time_scale: float) -> RecordingHealth:
    """Lag, gaps, queues and workers as of the reader's moment."""
    queries = sql_queries("views/recording_health.sql")
    by_kind = tuple((kind, count) for kind, count in reader.rows(queries["count_events_by_kind"]))
    sweeps = reader.watermark("production")
    start = _first_payload(reader, queries["select_last_start"])
    sample = _first_payload(reader, queries["select_last_queue_sample"])
    complete_until = sweeps.complete_until if sweeps else None
    # Later than that nobody has looked, so a silent heartbeat says nothing.
    looked_at = complete_until or reader.as_of_time
    lag_s = None
    if complete_until is not None:
        lag_s = max(0.0, (reader.as_of_time - complete_until).total_seconds())
    return RecordingHealth(
        complete_until=complete_until,
        lag_s=lag_s,
        events=sum(count for _, count in by_kind),
        by_kind=by_kind,
        gaps=tuple(
            _gap_words(json.loads(payload)) for (payload,) in reader.rows(queries["select_gaps"])
        ),
        provisional=bool(start.get("provisional", False)),
        queue_depth=sample.get("queue_depth"),
        dlq_depth=sample.get("dlq_depth"),
        workers=tuple(
            f"{worker} {status}, seen {_age(looked_at, seen, time_scale)} ago"
            for worker, status, _, seen in reader.rows(queries["select_workers"])
        ),
    )


def ended_in_order(reader: Reader) -> bool:
    """Whether the newest recorder said that it stopped with everything recorded."""
    for kind, payload in reader.rows(sql_queries("views/recording_health.sql")["select_last_turn"]):
        return kind == "record.stopped" and bool(json.loads(payload).get("complete"))
    return False


def dead_letters_seen(reader: Reader) -> int | None:
    """The most dead letters that any sample saw; None if no sample counted them."""
    ((most,),) = reader.rows(sql_queries("views/recording_health.sql")["select_most_dead_letters"])
    return None if most is None else int(most)


def replay_progress(
    reader: Reader, *, disagreeing: Mapping[str, int]
) -> tuple[ReplayProgress, ...]:
    """Every replay run with its rate and what remains. disagreeing: mismatches per run."""
    runs = []
    for row in reader.rows(sql_queries("views/recording_health.sql")["select_replays"]):
        payload, started_at, finished_at, done, excluded, escapes, last_at = row
        started = json.loads(payload)
        end = finished_at or last_at
        busy_s = (end - started_at).total_seconds() if end else 0.0
        rate = done / busy_s * 60 if done and busy_s > 0 else None
        selected = int(started.get("selected", 0))
        left = max(0, selected - done - excluded)
        runs.append(
            ReplayProgress(
                run=str(started["run"]),
                worker=str(started.get("worker", "")),
                started_at=started_at.astimezone(UTC),
                finished_at=finished_at.astimezone(UTC) if finished_at else None,
                selected=selected,
                done=done,
                excluded=excluded,
                disagreeing=disagreeing.get(str(started["run"]), 0),
                escapes=escapes,
                rate_per_min=rate,
                remaining_s=None if finished_at or not rate else left / rate * 60,
            )
        )
    return tuple(runs)


def replay_exclusions(reader: Reader) -> tuple[tuple[str, int], ...]:
    """Reasons why recorded submissions were not replayed, with their numbers."""
    rows = reader.rows(sql_queries("views/recording_health.sql")["count_replay_exclusions"])
    return tuple((str(reason), int(count)) for reason, count in rows)


def _first_payload(reader: Reader, query: str) -> dict[str, Any]:
    rows = reader.rows(query)
    payload: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
    return payload


def _gap_words(payload: Mapping[str, Any]) -> str:
    words = [str(payload.get(key, "")) for key in ("what", "why")]
    span = f"{payload.get('from', '?')} to {payload.get('until', '?')}"
    return ", ".join([*filter(None, words), span])


def _age(now: datetime, seen: datetime, time_scale: float) -> str:
    seconds = max(0.0, (now - seen).total_seconds() * time_scale)
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
