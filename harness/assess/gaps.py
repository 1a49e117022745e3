"""Gaps in the record, and which of them a later sweep has made good. Reads; judges no gate.

**Why a sweep closes a gap for every gate that judges jobs.** Such a gate rests on three things: the
rows of ``queue_history``, which are only ever added; when a job was created, which never changes;
and the last state of each row of the control's work list. A complete sweep reads every row version
that was written since the last complete sweep before the gap and still stands, so that after it all
three are in the journal as if there had been no gap. What is lost for good are versions that were
overwritten before anybody looked, such as the control's ``submitting``: they give its time per
directory and when it began, which a person sees and no gate judges. A row that came and went
within the gap is lost too, as it is between any two polls; a job with a history cannot go.

So a closed gap stays visible, and only an open one costs a gate its evidence. A gap that we cannot
place, or of which no sweep can make anything good, never closes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.journal.reader import Reader
from harness.model import Source
from harness.resources import sql_queries

_SWEPT = ("production", "journal", "recorder", "slot")
_A_TABLE = "production:"
_SAMPLED = (Source.SHADOW_QUEUE.value, Source.PREFECT.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedGap:
    """For a while something could not be recorded."""

    what: str
    words: str
    """What, why and when, as it is shown."""
    since: datetime | None
    until: datetime | None
    """None where the event does not tell a moment."""
    closed: bool
    """Whether a sweep after it has read everything that still stands."""

    @property
    def of_samples(self) -> bool:
        """Whether it concerns a source that is asked now and then, and not production's rows."""
        return self.what in _SAMPLED

    def over_by(self, since: datetime | None) -> bool:
        """Whether it was over when the shadow week began."""
        return self.until is not None and since is not None and self.until <= since


def recorded_gaps(reader: Reader) -> tuple[RecordedGap, ...]:
    """Every gap as of the reader's moment, in the order in which they were journaled.

    A source that went back in time and waits for a person's word is one that goes on.
    """
    queries = sql_queries("views/recording_health.sql")
    ((proof,),) = reader.rows(queries["select_last_proof"])
    sweeps = reader.watermark("production")
    complete_until = sweeps.complete_until if sweeps else None
    gaps = [
        # By order as well as by time: the two moments are of two machines' clocks.
        _gap(json.loads(payload), proved=complete_until if seq <= (proof or 0) else None)
        for seq, payload in reader.rows(queries["select_gaps"])
    ]
    rewinds = [json.loads(payload) for (payload,) in reader.rows(queries["select_rewinds"])]
    return (*gaps, *(_rewind(payload) for payload in rewinds))


def open_gaps(gaps: tuple[RecordedGap, ...], *, since: datetime | None) -> tuple[RecordedGap, ...]:
    """The gaps in the record of production that still cost evidence about the shadow week."""
    return tuple(gap for gap in gaps if not (gap.of_samples or gap.closed or gap.over_by(since)))


def _gap(payload: Mapping[str, Any], *, proved: datetime | None) -> RecordedGap:
    what = str(payload.get("what", ""))
    span = f"{payload.get('from', '?')} to {payload.get('until', '?')}"
    until = _moment(payload.get("until"))
    can_close = what in _SWEPT or what.startswith(_A_TABLE)
    return RecordedGap(
        what=what,
        words=", ".join([*filter(None, (what, str(payload.get("why", "")))), span]),
        since=_moment(payload.get("from")),
        until=until,
        closed=can_close and until is not None and proved is not None and until <= proved,
    )


def _rewind(payload: Mapping[str, Any]) -> RecordedGap:
    words = f"production went back in time, {payload.get('why', '?')}"
    return RecordedGap(what="rewound", words=words, since=None, until=None, closed=False)


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None
