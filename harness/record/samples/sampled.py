"""Asks the sampled sources in turn and writes what they say, or that they say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from harness.errors import JournalBusyError, SourceError
from harness.journal.store import utc_now
from harness.model import EventDraft, EventKind, Source
from harness.record.gaps import Gap
from harness.record.progress import ProgressBoard
from harness.record.samples.sampler import Observation, Sampler
from harness.record.writer import RecordWriter

_MOST_LEFT = 10_000
"""Facts that may wait for a locked journal; the oldest go first."""


class SampledSources:
    """Every sampler of one recorder; `write` may be called from several threads."""

    def __init__(
        self, samplers: Sequence[Sampler], writer: RecordWriter, board: ProgressBoard
    ) -> None:
        self._samplers = tuple(samplers)
        self._writer = writer
        self._board = board
        self._left: list[EventDraft] = []
        self._lock = Lock()

    def __bool__(self) -> bool:
        return bool(self._samplers)

    def ask_all(self) -> None:
        """Ask each once; one that does not answer is a gap with its reason."""
        for sampler in self._samplers:
            what = sampler.source.value
            try:
                found = sampler.sample()
            except SourceError as error:
                self._writer.gaps.begin(
                    Gap(what=what, why=str(error), since=utc_now(), loses=sampler.loses)
                )
                continue
            self._writer.gaps.end(what, until=utc_now())
            self.write(sampler.source, found)

    def write(self, source: Source, found: Sequence[Observation]) -> None:
        """Journal what a source said; what a locked journal would not take goes with the next."""
        with self._lock:
            self._left += [self._event(source, one) for one in found]
            try:
                self._writer.append(self._left, tier="sample")
            except JournalBusyError:
                del self._left[:-_MOST_LEFT]
                return
            self._left = []
        for one in found:
            if one.kind == EventKind.SQS_SAMPLE:
                self._board.set(
                    queue_depth=one.payload.get("queue_depth"),
                    dlq_depth=one.payload.get("dlq_depth"),
                )

    def close(self) -> None:
        """Close every sampler."""
        for sampler in self._samplers:
            sampler.close()

    def _event(self, source: Source, one: Observation) -> EventDraft:
        if one.key is None:
            return self._writer.say(one.kind, one.payload, source=source, at=one.occurred_at)
        return EventDraft(
            source=source,
            kind=one.kind,
            key=one.key,
            occurred_at=one.occurred_at or utc_now(),
            payload=one.payload,
            job_id=one.job_id,
        )
