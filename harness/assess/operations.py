"""Traffic through both systems, and the newest samples beside them, as of one moment."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from harness.assess.recorder_said import age_s
from harness.assess.sequences import Fates
from harness.assessment import (
    GateResult,
    Operations,
    PhaseResult,
    PrefectSample,
    QueueSample,
    Traffic,
    TrafficBin,
    WorkerSeen,
    WorkersSample,
)
from harness.journal.reader import Reader
from harness.model import EventKind, Side
from harness.resources import sql_queries

RATES_S = 3600.0
"""The rates look back over so many scaled seconds."""
_LEAST_S = 60.0
"""A record that is shorter gives no rate."""
_MOST_BINS = 24


def operations(
    reader: Reader, jobs: pl.DataFrame, fates: Fates, *, until: datetime | None, scale: float
) -> Operations:
    """Everything about what goes through, as of the reader's moment.

    jobs: ``select_jobs`` with `fate`. until: to which the record is proved complete; None without a
    proof.
    """
    return Operations(
        traffic=traffic(jobs, fates, until=until, scale=scale),
        queue=_queue(reader),
        prefect=_prefect(reader),
        workers=_workers(reader),
        heartbeats=_heartbeats(reader, until or reader.as_of_time, scale),
    )


def traffic(jobs: pl.DataFrame, fates: Fates, *, until: datetime | None, scale: float) -> Traffic:
    """Count what came and went. Pure.

    jobs: ``select_jobs`` with `fate`. Every figure but `until` is None without a proof.
    """
    if until is None:
        return Traffic(until=None)
    ends = {"control": "control_finished_at", "candidate": "candidate_finished_at"}
    counts: dict[str, Any] = {
        "control_backlog": jobs["control_finished_at"].null_count(),
        "candidate_backlog": fates.pending,
        "candidate_lost": sum(fates.losses.values()),
    }
    first = jobs["created_at"].min()
    if not isinstance(first, datetime):
        return Traffic(until=until, **counts)
    first = first.astimezone(UTC)
    start = max(first, until - timedelta(seconds=RATES_S / scale))
    window_s = (until - start).total_seconds() * scale
    if window_s >= _LEAST_S:
        recent = {"admitted": "created_at"} | ends
        counts["window_s"] = window_s
        for name, column in recent.items():
            n = _between(jobs[column], start, until)
            counts[f"{name}_per_h"] = n / window_s * 3600.0
    return Traffic(
        until=until, pace_per_h=_pace_per_h(jobs, scale), bins=_bins(jobs, until), **counts
    )


def with_times(phases: tuple[PhaseResult, ...], traffic: Traffic) -> tuple[PhaseResult, ...]:
    """The same phases with how long the jobs take that would settle a gate."""
    pace = traffic.pace_per_h

    def timed(gate: GateResult) -> GateResult:
        if gate.more_jobs is None or not pace:
            return gate
        return replace(gate, more_s=gate.more_jobs / pace * 3600.0)

    return tuple(
        replace(phase, gates=tuple(timed(gate) for gate in phase.gates)) for phase in phases
    )


def _between(times: pl.Series, start: datetime, end: datetime) -> int:
    """How many lie between the two moments, those at either end among them."""
    return int(times.is_between(start, end, closed="both").sum())


def _pace_per_h(jobs: pl.DataFrame, scale: float) -> float | None:
    first, last = jobs["created_at"].min(), jobs["created_at"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return None
    span_s = (last - first).total_seconds() * scale
    return (jobs.height - 1) / span_s * 3600.0 if span_s > 0 else None


def _bins(jobs: pl.DataFrame, until: datetime) -> tuple[TrafficBin, ...]:
    first = jobs["created_at"].min()
    if not isinstance(first, datetime) or first >= until:
        return ()
    number = max(1, min(_MOST_BINS, jobs.height))
    width = (until - first) / number
    columns = ("created_at", "control_finished_at", "candidate_finished_at")
    whole = (until - first) // timedelta(microseconds=1)
    counted = []
    for column in columns:
        # In whole numbers, so that an end that falls between two bins is always in the second.
        place = (pl.col(column) - first).dt.total_microseconds() * number // whole
        inside = jobs.filter(pl.col(column).is_between(first, until))
        by_bin = inside.group_by(place.clip(0, number - 1).alias("bin")).len()
        counted.append(dict(by_bin.iter_rows()))
    return tuple(
        TrafficBin(
            since=(first + at * width).astimezone(UTC),
            admitted=counted[0].get(at, 0),
            control_ended=counted[1].get(at, 0),
            candidate_ended=counted[2].get(at, 0),
        )
        for at in range(number)
    )


def _sample(reader: Reader, kind: EventKind) -> tuple[datetime, dict[str, Any]] | None:
    query = sql_queries("views/operations.sql")["select_last_sample"]
    for at, payload in reader.rows(query, kind=kind.value):
        return at.astimezone(UTC), json.loads(payload)
    return None


def _queue(reader: Reader) -> QueueSample | None:
    found = _sample(reader, EventKind.SQS_SAMPLE)
    if found is None:
        return None
    at, told = found
    return QueueSample(
        at=at,
        age_s=age_s(reader, at),
        depth=told.get("queue_depth"),
        in_flight=told.get("in_flight"),
        delayed=told.get("delayed"),
        oldest_age_s=told.get("oldest_age_s"),
        dlq_depth=told.get("dlq_depth"),
        dlq_in_flight=told.get("dlq_in_flight"),
        dlq_oldest_age_s=told.get("dlq_oldest_age_s"),
        why=_whys(told, "queue_why", "dlq_why", "dead_letters_why"),
    )


def _prefect(reader: Reader) -> PrefectSample | None:
    found = _sample(reader, EventKind.PREFECT_SAMPLE)
    if found is None:
        return None
    at, told = found
    runs, deployment = told.get("runs") or {}, told.get("deployment") or {}
    return PrefectSample(
        at=at,
        age_s=age_s(reader, at),
        healthy=bool(told.get("healthy")),
        version=told.get("version"),
        deployment=str(deployment.get("name") or ""),
        deployed=deployment.get("exists"),
        paused=deployment.get("paused"),
        scheduled=runs.get("SCHEDULED"),
        running=runs.get("RUNNING"),
        late=told.get("late"),
        failed=runs.get("FAILED"),
        crashed=runs.get("CRASHED"),
        lag_s=told.get("lag_s"),
    )


def _workers(reader: Reader) -> WorkersSample | None:
    found = _sample(reader, EventKind.WORKERS_SAMPLE)
    if found is None:
        return None
    at, told = found
    named = told.get("stale")
    stale = told.get("stale_count")
    if stale is None and isinstance(named, list):
        stale = len(named)
    return WorkersSample(
        at=at,
        age_s=age_s(reader, at),
        running=told.get("running"),
        idle=told.get("idle"),
        stale=stale,
        why=_whys(told, "stale_why", "control_why"),
    )


def _heartbeats(reader: Reader, looked_at: datetime, scale: float) -> tuple[WorkerSeen, ...]:
    """looked_at: later than that nobody has looked, so that a silent heartbeat says nothing."""
    found = _sample(reader, EventKind.WORKERS_SAMPLE)
    stale = (found[1].get("stale") or ()) if found else ()
    rows = reader.rows(sql_queries("views/recording_health.sql")["select_workers"])
    seen = []
    for worker, status, kind, seen_at in rows:
        of_control = kind == EventKind.WORKER_STATUS.value
        seen.append(
            WorkerSeen(
                worker=str(worker),
                side=(Side.CONTROL if of_control else Side.CANDIDATE).value,
                status="stale" if worker in stale else str(status),
                seen_at=seen_at.astimezone(UTC),
                age_s=max(0.0, (looked_at - seen_at).total_seconds() * scale),
            )
        )
    return tuple(sorted(seen, key=lambda one: (one.side != Side.CONTROL.value, one.worker)))


def _whys(told: dict[str, Any], *names: str) -> str:
    return "; ".join(dict.fromkeys(str(told[name]) for name in names if told.get(name)))
