"""Slot mode against random transactions: every committed version once, in the order of commits.

"The same events" means the same sequence of (table, key, row). Slot mode has every version that
was committed; what polling meets of the same history is a part of that, in the same order.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from harness.journal.store import Journal
from harness.model import Batch, Watermark
from harness.record.postgres.source import PostgresSource
from harness.record.slot.source import SlotSource
from harness.record.writer import PRODUCTION
from tests.support.postgres import Cluster, Production
from tests.support.schedules import base_seed
from tests.support.servers import missing_postgres
from tests.support.slot_schedules import GONE, Fact, Writers, is_subsequence
from tests.support.slots import decoded_database, decoding_cluster, slot_source

SCHEDULES = {"pgoutput": (18, 30), "test_decoding": (15, 10)}
BASE_SEED = base_seed()
"""New ones for every run; a failure prints its own."""


@pytest.fixture(scope="module", params=SCHEDULES)
def decoding(request: pytest.FixtureRequest) -> Iterator[tuple[Cluster, str]]:
    version, _ = SCHEDULES[request.param]
    if missing := missing_postgres(version):
        pytest.skip(missing)
    with decoding_cluster(version) as cluster:
        yield cluster, request.param


class Recording:
    """A source and its journal; it can be killed and comes back with what the journal remembers."""

    def __init__(self, production: Production, journal: Journal, **options: Any) -> None:
        self.journal = journal
        self._production = production
        self._options = options
        self.slot: SlotSource = self._made()

    def _made(self) -> SlotSource:
        made = slot_source(self._production, self.journal, **self._options)
        with self.journal.reader() as reader:
            mark = reader.watermark(PRODUCTION)
        made.open(mark.position if mark else None)
        return made

    @property
    def source(self) -> SlotSource | PostgresSource:
        return self.slot

    def poll(self, *, full: bool, chunks: int | None = None) -> None:
        """chunks: it is killed after so many were journaled."""
        with closing(self.source.poll(full=full)) as found:
            for number, chunk in enumerate(found, 1):
                marks = ()
                if chunk.done is not None:
                    position = self.source.position(chunk.done)
                    at = chunk.done.mark.at
                    marks = (Watermark(source=PRODUCTION, position=position, complete_until=at),)
                self.journal.append(Batch(events=chunk.events, watermarks=marks, tier=chunk.tier))
                if number == chunks:
                    break
        if chunks is not None:
            self.close()
            self.slot = self._made()

    def close(self) -> None:
        self.slot.connection.close()

    def facts(self) -> list[Fact]:
        with self.journal.reader() as reader:
            rows = reader.rows(
                "SELECT kind, payload FROM events_now WHERE source = 'production' ORDER BY seq"
            )
        found: list[Fact] = []
        for kind, text in rows:
            payload = json.loads(text)
            if kind == "row.deleted":
                found.append((payload["table"], payload["identity"], GONE))
            else:
                found.append((kind, payload["id"], json.dumps(payload, sort_keys=True)))
        return found


class Polling(Recording):
    """The same by sweeps and ticks."""

    @property
    def source(self) -> PostgresSource:
        return self.slot._sweeps


def by_row(facts: list[Fact]) -> dict[tuple[str, str], list[str]]:
    rows = defaultdict(list)
    for table, key, row in facts:
        rows[table, key].append(row)
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("number", range(30))
def test_a_slot_tells_every_version_in_the_order_of_commits_and_polling_a_part_of_that(
    decoding: tuple[Cluster, str], number: int, tmp_path: Path
) -> None:
    cluster, plugin = decoding
    if number >= SCHEDULES[plugin][1]:
        pytest.skip("the other plugin has had these; only the parser differs")
    run_schedule(cluster, plugin, BASE_SEED + number, tmp_path)


def run_schedule(cluster: Cluster, plugin: str, seed: int, folder: Path) -> None:
    rng = random.Random(seed)
    journals = [Journal.create(folder / f"{seed}-{mode}.duckdb") for mode in ("slot", "poll")]
    options = {"plugin": plugin, "peek_messages": rng.choice((2, 8, 10_000))}
    with ExitStack() as stack:
        production = stack.enter_context(decoded_database(cluster))
        slot = Recording(production, journals[0], **options)
        stack.callback(lambda: slot.close())
        polling = Polling(production, journals[1])
        stack.callback(lambda: polling.close())
        slot.poll(full=True)
        writers = stack.enter_context(Writers(production, rng))
        for _ in range(rng.randint(30, 60)):
            if rng.random() < 0.12:
                full = rng.random() < 0.3
                killed = rng.choice((None, None, 1, 2))
                writers.done.append(f"poll, full: {full}, killed after chunk: {killed}")
                slot.poll(full=full, chunks=killed)
                polling.poll(full=full)
            else:
                writers.step()
        writers.finish()
        slot.poll(full=False)
        slot.poll(full=True)
        polling.poll(full=True)
        told, met = slot.facts(), polling.facts()
    story = "\n".join([f"seed {seed}, {options}", *writers.done])
    assert told == writers.committed, story
    truth = by_row([fact for fact in told if fact[2] != GONE])
    for row, versions in by_row(met).items():
        assert is_subsequence(versions, truth[row]), f"{row}\n{story}"
    gone = {(table, key) for table, key, row in told if row == GONE}
    last = {row: versions[-1] for row, versions in truth.items() if row not in gone}
    polled = {row: versions[-1] for row, versions in by_row(met).items() if row not in gone}
    assert polled == last, story
