"""A slot source and its journal, driven poll by poll: what these tests share."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from harness.journal.store import Journal
from harness.model import Batch, EventKind, Watermark
from harness.record.chunk import Chunk, Done
from harness.record.slot.source import SlotSource
from harness.record.writer import PRODUCTION
from tests.support.postgres import Cluster, Production
from tests.support.slots import slot_source


@dataclass(frozen=True, slots=True)
class Decoding:
    """A server and the plugin that decodes its log."""

    cluster: Cluster
    plugin: str


class Connected(SlotSource):
    """A source that `closing` can close."""

    def close(self) -> None:
        self.connection.close()


def connected(
    decoding: Decoding, production: Production, journal: Journal | None, **options: Any
) -> Connected:
    made = slot_source(production, journal, plugin=decoding.plugin, **options)
    made.__class__ = Connected
    assert isinstance(made, Connected)
    position, shape = None, None
    if journal is not None:
        with journal.reader() as reader:
            mark = reader.watermark(PRODUCTION)
        position = mark.position if mark else None
    try:
        made.open(position, shape)
    except BaseException:
        made.close()
        raise
    return made


def poll(
    source: SlotSource, journal: Journal, *, full: bool = False, chunks: int | None = None
) -> Done | None:
    """Copy what is new into the journal. chunks: then the recorder is killed."""
    with closing(source.poll(full=full)) as found:
        for number, chunk in enumerate(found, 1):
            append(source, journal, chunk)
            if number == chunks:
                return None
            if chunk.done is not None:
                next(found, None)
                return chunk.done
    return None


def append(source: SlotSource, journal: Journal, chunk: Chunk) -> None:
    marks: tuple[Watermark, ...] = ()
    if chunk.done is not None:
        marks = (
            Watermark(
                source=PRODUCTION,
                position=source.position(chunk.done),
                complete_until=chunk.done.mark.at,
            ),
        )
    journal.append(Batch(events=chunk.events, watermarks=marks, tier=chunk.tier))


def payloads(journal: Journal, kind: str) -> list[Any]:
    with journal.reader() as reader:
        rows = reader.rows("SELECT payload FROM events_now WHERE kind = $k ORDER BY seq", k=kind)
    return [json.loads(payload) for (payload,) in rows]


def statuses(journal: Journal) -> list[str]:
    return [row["status"] for row in payloads(journal, "directory_submissions")]


def gaps(journal: Journal) -> list[str]:
    return [row["why"] for row in payloads(journal, EventKind.RECORD_GAP)]


def set_status(session: Any, row: str, status: str) -> None:
    session.execute("UPDATE directory_submissions SET status = %s WHERE id = %s", [status, row])
