"""What the journal says about its own recording and about replays. Reads, computes nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.assess.gaps import recorded_gaps
from harness.assess.recorder_said import recorder_parts
from harness.assessment import GapSpan, RecordingHealth, ReplayProgress
from harness.compare.silence import BlindPeriod
from harness.gates.wording import counted
from harness.journal.reader import Reader
from harness.resources import sql_queries


def recording_health(reader: Reader, *, time_scale: float) -> RecordingHealth:
    """Lag, gaps, queues, Prefect and workers as of the reader's moment."""
    queries = sql_queries("views/recording_health.sql")
    by_kind = tuple((kind, count) for kind, count in reader.rows(queries["count_events_by_kind"]))
    sweeps = reader.watermark("production")
    start = _first_payload(reader, queries["select_last_start"])
    sample = _first_payload(reader, queries["select_last_queue_sample"])
    stale = tuple(_first_payload(reader, queries["select_last_workers_sample"]).get("stale") or ())
    complete_until = sweeps.complete_until if sweeps else None
    # Later than that nobody has looked, so a silent heartbeat says nothing.
    looked_at = complete_until or reader.as_of_time
    gaps = recorded_gaps(reader)
    last = reader.rows(queries["select_last_recorded"])
    recorded_at = last[0][0].astimezone(UTC) if last else reader.as_of_time
    lag_s = None
    if complete_until is not None:
        lag_s = max(0.0, (recorded_at - complete_until).total_seconds())
    return RecordingHealth(
        complete_until=complete_until,
        lag_s=lag_s,
        events=sum(count for _, count in by_kind),
        by_kind=by_kind,
        gaps=tuple(f"{gap.words} (swept since)" if gap.closed else gap.words for gap in gaps),
        gap_spans=tuple(
            GapSpan(what=gap.what, since=gap.since, until=gap.until, closed=gap.closed)
            for gap in gaps
        ),
        provisional=bool(start.get("provisional", False)),
        queue_depth=sample.get("queue_depth"),
        dlq_depth=sample.get("dlq_depth"),
        workers=tuple(
            f"{worker} {'stale' if worker in stale else status}, seen "
            f"{_age(looked_at, seen, time_scale)} ago"
            for worker, status, _, seen in reader.rows(queries["select_workers"])
        ),
        oldest_age_s=sample.get("oldest_age_s"),
        dlq_oldest_age_s=sample.get("dlq_oldest_age_s"),
        dlq_why=sample.get("dlq_why") or sample.get("dead_letters_why"),
        prefect=_prefect_line(reader, looked_at, time_scale),
        stale_workers=stale,
        **recorder_parts(reader, last_recorded=recorded_at),
    )


def blind_periods(reader: Reader) -> tuple[BlindPeriod, ...]:
    """When the candidate's history could not be observed, in order."""
    rows = reader.rows(sql_queries("views/observability.sql")["select_blind_periods"])
    return tuple(
        (start and start.astimezone(UTC), end and end.astimezone(UTC)) for start, end in rows
    )


def ended_in_order(reader: Reader) -> bool:
    """Whether the newest recorder said that it stopped with everything recorded."""
    for kind, payload in reader.rows(sql_queries("views/recording_health.sql")["select_last_turn"]):
        return kind == "record.stopped" and bool(json.loads(payload).get("complete"))
    return False


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


def _prefect_line(reader: Reader, now: datetime, time_scale: float) -> str | None:
    found = reader.rows(sql_queries("views/recording_health.sql")["select_last_prefect_sample"])
    if not found:
        return None
    at, text = found[0]
    told: dict[str, Any] = json.loads(text)
    runs, deployment = told.get("runs") or {}, told.get("deployment") or {}
    parts = [
        "healthy" if told.get("healthy") else "not healthy",
        counted(told.get("deployments") or 0, "deployment"),
        *([] if deployment.get("exists") else [f"{deployment.get('name')} is missing"]),
        f"{runs.get('RUNNING', 0):,} running",
        f"{told.get('late', 0):,} late",
        f"{runs.get('FAILED', 0):,} failed",
        f"{runs.get('CRASHED', 0):,} crashed",
    ]
    return f"{', '.join(parts)}; asked {_age(now, at, time_scale)} ago"


def _age(now: datetime, seen: datetime, time_scale: float) -> str:
    seconds = max(0.0, (now - seen).total_seconds() * time_scale)
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
