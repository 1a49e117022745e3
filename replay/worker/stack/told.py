"""What a stack's tables say of a job, read as the recorder's own rows are, and the claim in it.

The rows become events of a journal of their own, whose projections are those of production: there
is no second mapping.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.journal.store import Journal
from harness.model import Batch, Claim, EventDraft, EventKind, Outcome, Source
from harness.resources import sql_queries

_ENDS = frozenset({Outcome.SUBMITTED, Outcome.FAILED, Outcome.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a job and its one directory."""

    outcome: str | None = None
    """The canonical one; None: no word about the directory."""
    raw_status: str | None = None
    error_text: str | None = None
    duration_ms: float | None = None
    listing_url: str | None = None
    taken: bool = False
    """Some event of the job is there."""
    ended: bool = False
    """The stack has ended the job."""
    job_status: str | None = None

    def claim(self, *, elapsed_ms: float, remark: str | None = None) -> Claim | None:
        """The claim in it; None if there is none. remark: what else is to be told."""
        if self.outcome in _ENDS:
            text, status = self.error_text, Outcome(self.outcome)
        elif self.ended:
            how = "begun and not ended" if self.outcome else "no word about this directory"
            text, status = f"{how}: its job ended as {self.job_status}", Outcome.FAILED
        else:
            return None
        texts = [one for one in (text, remark) if one]
        return Claim(
            status=status,
            duration_ms=round(elapsed_ms if self.duration_ms is None else self.duration_ms, 1),
            error_text="; ".join(texts) or None,
            final_url=self.listing_url,
        )

    @property
    def words(self) -> str:
        """How far the stack has come, for whoever waits in vain."""
        if self.outcome is not None:
            return "begun and not ended"
        return "its job was taken, nothing was begun" if self.taken else "no word of its job"


class TableReader:
    """Reads rows of a stack into a journal at `path`; one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal.create(path)
        self._seen: set[str] = set()
        self._told: dict[str, Told] = {}

    def read(
        self, job_id: str, directory: str, *, history: Sequence[str], results: Sequence[str]
    ) -> Told:
        """What these rows say of one job. history, results: of it, each row as JSON, in order."""
        drafts = [
            draft
            for kind, rows in (
                (EventKind.QUEUE_HISTORY, history), (EventKind.JOB_RESULTS, results)
            )
            for row in rows
            if (draft := self._draft(kind, job_id, row)) is not None
        ]  # fmt: skip
        if drafts or job_id not in self._told:
            self._journal.append(Batch(events=tuple(drafts), tier="replay"))
            self._told = {job_id: self._look(job_id, directory)}
        return self._told[job_id]

    def _draft(self, kind: EventKind, job_id: str, text: str) -> EventDraft | None:
        """The event of a row; None for one that is there already."""
        key = f"{kind}:{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
        if key in self._seen:
            return None
        self._seen.add(key)
        row: dict[str, Any] = json.loads(text)
        return EventDraft(
            source=Source.PRODUCTION,
            kind=kind,
            key=key,
            occurred_at=_time_of(row),
            payload=row,
            job_id=job_id,
            directory=row.get("directory_name"),
        )

    def _look(self, job_id: str, directory: str) -> Told:
        with self._journal.reader() as reader:
            (row,) = reader.rows(
                sql_queries("views/select_told.sql")["select_told"],
                job_id=job_id,
                directory=directory,
            )
        names = (
            "outcome", "raw_status", "error_text", "duration_ms", "listing_url", "taken", "ended",
            "job_status",
        )  # fmt: skip
        told = dict(zip(names, row, strict=True))
        return Told(**told | {name: bool(told[name]) for name in ("taken", "ended")})


def _time_of(row: dict[str, Any]) -> datetime:
    """When the database says that the row was made; now where it does not say."""
    try:
        moment = datetime.fromisoformat(str(row.get("created_at")))
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
