"""What the recorder says of itself in the journal, as of one moment. Reads; computes ages only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.assessment import RecorderState, SamplerState, SourceMark
from harness.journal.reader import Reader
from harness.resources import sql_queries

_SAMPLERS = {"sqs.sample": "queues", "prefect.sample": "prefect", "workers.sample": "workers"}


def recorder_parts(reader: Reader, *, last_recorded: datetime) -> dict[str, Any]:
    """Fields of `RecordingHealth` that tell of the recorder itself.

    last_recorded: when something other than a person's word was journaled, from which lag counts.
    """
    drifts, drifted, drifted_at, jumps, reconciled_at = reader.rows(_query("count_disturbances"))[0]
    ((batches,),) = reader.rows(_query("count_batches"), seq=reader.as_of_seq)
    drift = f"{drifted or 'a table'}, {_utc(drifted_at):%d %B %H:%M} UTC" if drifted_at else None
    return {
        "recorder": _recorder(reader),
        "marks": _marks(reader, last_recorded),
        "samplers": _samplers(reader),
        "batches": int(batches),
        "drifts": int(drifts),
        "last_drift": drift,
        "clock_jumps": int(jumps),
        "reconciled_at": _utc(reconciled_at) if reconciled_at else None,
    }


def _recorder(reader: Reader) -> RecorderState | None:
    for started_at, started, swept_at, sweep, stopped_at, stopped in reader.rows(
        _query("select_recorder")
    ):
        began, swept, ended = map(_payload, (started, sweep, stopped))
        # The later word counts; a recorder of an older version says neither.
        told = ended.get("so_far") or swept.get("so_far") or {}
        polls, sweeps = told.get("polls"), told.get("sweeps")
        ticks_ms = _difference(told.get("cost_ms"), told.get("sweeps_cost_ms"))
        ticks = _difference(polls, sweeps)
        return RecorderState(
            session=str(began.get("session", "")),
            started_at=_utc(started_at),
            stopped_at=_utc(stopped_at) if stopped_at else None,
            complete=bool(ended.get("complete")) if stopped_at else None,
            mode=str(began.get("mode", "poll")),
            server_version=str(began.get("server_version") or ""),
            tick_s=began.get("tick_s"),
            sweep_min_interval_s=began.get("sweep_min_interval_s"),
            last_sweep_at=_utc(swept_at) if swept_at else None,
            sweep_age_s=age_s(reader, swept_at) if swept_at else None,
            sweep_cost_ms=swept.get("cost_ms"),
            tick_cost_ms=ticks_ms / ticks if ticks and ticks_ms is not None else None,
            polls=polls,
            lock_retries=told.get("lock_retries"),
        )
    return None


def _marks(reader: Reader, last_recorded: datetime) -> tuple[SourceMark, ...]:
    return tuple(
        SourceMark(
            source=source,
            tables=tuple(map(str, _tables(json.loads(position)))),
            complete_until=_utc(until),
            lag_s=max(0.0, (last_recorded - until).total_seconds()),
        )
        for source, position, until in reader.rows(_query("select_marks"), seq=reader.as_of_seq)
    )


def _tables(position: Any) -> list[Any]:
    tables = position.get("tables") if isinstance(position, dict) else None
    return tables if isinstance(tables, list) else []


def _samplers(reader: Reader) -> tuple[SamplerState, ...]:
    found = {kind: (n, at) for kind, n, at in reader.rows(_query("count_samples"))}
    states = []
    for kind, name in _SAMPLERS.items():
        samples, at = found.get(kind, (0, None))
        states.append(
            SamplerState(
                name=name,
                samples=int(samples),
                last_at=_utc(at) if at else None,
                age_s=age_s(reader, at) if at else None,
            )
        )
    return tuple(states)


def age_s(reader: Reader, at: datetime) -> float:
    """Real seconds from `at` to the moment that is asked about."""
    return max(0.0, (reader.as_of_time - at).total_seconds())


def _difference(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else whole - part


def _payload(text: str | None) -> Mapping[str, Any]:
    return json.loads(text) if text else {}


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _query(name: str) -> str:
    return sql_queries("views/operations.sql")[name]
