"""Outcomes on their way into the journal: whatever ends a run, each is there once afterwards."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import EnvironmentProblem, JournalError
from harness.journal.store import Journal, canonical_json
from harness.model import Appended, Batch, EventDraft
from replay.outbox import Outbox
from replay.spool import Spool, folder_of, recover

_PUTS = 20
_DIES = f"""
import asyncio, os, signal, sys
from pathlib import Path
from harness.journal.store import Journal
from replay.outbox import Outbox
from tests.unit.replay.test_spool import draft

async def main():
    async with Outbox(Journal.open(Path(sys.argv[1])), "r") as outbox:
        for n in range({_PUTS}):
            outbox.put(draft(2 * n), draft(2 * n + 1))
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def draft(number: int, **payload: object) -> EventDraft:
    return EventDraft(
        source="replay:r", kind="replay.submission", key=f"replay:r:{number}",
        occurred_at=datetime(2026, 11, 20, tzinfo=UTC), payload=payload or {"number": number},
        job_id="job-1", directory=f"site-{number}.example",
    )  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "week.duckdb")


def keys_of(journal: Journal) -> list[str]:
    with journal.reader() as reader:
        return [key for (key,) in reader.rows("SELECT key FROM events_now ORDER BY seq")]


def keys(numbers: range) -> list[str]:
    return [f"replay:r:{number}" for number in numbers]


def left_of(journal: Journal) -> list[Path]:
    return sorted(folder_of(journal.path).glob("*"))


def abandon(spool: Spool) -> None:
    """What the kernel does to a process that is killed."""
    with spool:
        pass


def test_a_kill_loses_nothing_that_was_put(journal: Journal) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, str(journal.path)], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    # The first append is made at once; what follows waits for the next.
    assert len(keys_of(journal)) < 2 * _PUTS
    recover(journal)
    assert keys_of(journal) == keys(range(2 * _PUTS))
    assert recover(journal) == 0
    assert not folder_of(journal.path).exists()


def test_an_end_in_order_leaves_nothing_to_recover(journal: Journal) -> None:
    async def go() -> None:
        async with Outbox(journal, "r") as outbox:
            for number in range(6):
                outbox.put(draft(number))
                await asyncio.sleep(0)
            outbox.put()

    asyncio.run(go())
    assert keys_of(journal) == keys(range(6))
    assert not folder_of(journal.path).exists()


def test_what_could_not_be_appended_is_kept_for_the_next_run(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def go() -> None:
        async with Outbox(journal, "r") as outbox:
            outbox.put(draft(0))

    def refuse(_journal: Journal, _batch: Batch) -> Appended:
        raise JournalError("the journal is locked")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", refuse)
        with pytest.raises(JournalError, match="locked"):
            asyncio.run(go())
    assert keys_of(journal) == []
    assert recover(journal) == 1
    assert keys_of(journal) == keys(range(1))


def test_appends_are_seconds_apart_however_much_comes(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    append = Journal.append

    def counted(to: Journal, batch: Batch) -> Appended:
        sizes.append(len(batch.events))
        return append(to, batch)

    async def go() -> None:
        async with Outbox(journal, "r", every_s=0.5) as outbox:
            for number in range(100):
                outbox.put(draft(number))
                await asyncio.sleep(0.01)

    monkeypatch.setattr(Journal, "append", counted)
    asyncio.run(go())
    assert len(sizes) <= 5
    assert sum(sizes) == 100


@pytest.mark.parametrize("cut", [1, 30])
def test_a_torn_last_line_is_left_out_whole(journal: Journal, cut: int) -> None:
    spool = Spool(journal, "r")
    spool.keep([draft(0), draft(1)])
    spool.keep([draft(2), draft(3)])
    abandon(spool)
    (segment,) = left_of(journal)
    segment.write_bytes(segment.read_bytes()[: -1 - cut])
    assert recover(journal) == 2
    assert keys_of(journal) == keys(range(2))


def test_segments_are_appended_in_the_order_in_which_they_were_written(journal: Journal) -> None:
    spool = Spool(journal, "r")
    for number in range(12):
        spool.keep([draft(number)])
        spool.turn().release()
    recover(journal)
    assert keys_of(journal) == keys(range(12))


def test_a_living_run_keeps_what_is_its_own(journal: Journal) -> None:
    with Spool(journal, "r") as spool:
        spool.keep([draft(0)])
        assert recover(journal) == 0
        assert len(left_of(journal)) == 1
        spool.keep([draft(1)])
    assert recover(journal) == 2


def test_what_is_of_another_journal_of_that_name_stays_out(journal: Journal) -> None:
    abandoned = Spool(journal, "r")
    abandoned.keep([draft(0)])
    abandon(abandoned)
    journal.path.unlink()
    assert recover(Journal.create(journal.path)) == 0
    assert keys_of(journal) == []
    assert len(left_of(journal)) == 1


def test_only_its_owner_may_read_it(journal: Journal) -> None:
    with Spool(journal, "r") as spool:
        spool.keep([draft(0)])
        spool.sync()
        (segment,) = left_of(journal)
        assert stat.S_IMODE(segment.stat().st_mode) == 0o600
        assert stat.S_IMODE(segment.parent.stat().st_mode) == 0o700


def test_a_disk_that_is_full_is_told_in_one_line(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with Spool(journal, "r") as spool:
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(EnvironmentProblem, match=r"replaying cannot be written \(No space"):
                spool.keep([draft(0)])
        spool.keep([draft(1)])
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(EnvironmentProblem, match=r"replaying cannot be written \(No space"):
            spool.sync()


def test_what_is_kept_after_the_disk_was_full_is_recovered(journal: Journal) -> None:
    """The kernel's own limit on the size of a file: it, too, first writes as much as fits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    spool = Spool(journal, "r")
    spool.keep([draft(0)])
    (segment,) = left_of(journal)
    resource.setrlimit(resource.RLIMIT_FSIZE, (segment.stat().st_size + 40, hard))
    try:
        with pytest.raises(EnvironmentProblem, match="cannot be written"):
            spool.keep([draft(1)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    spool.keep([draft(2)])
    spool.keep([draft(3)])
    abandon(spool)
    assert recover(journal) == 3
    assert keys_of(journal) == [key for number, key in enumerate(keys(range(4))) if number != 1]


def test_blocks_that_lost_power_took_cost_only_their_own_lines(journal: Journal) -> None:
    spool = Spool(journal, "r")
    for number in range(3):
        spool.keep([draft(number)])
    abandon(spool)
    (segment,) = left_of(journal)
    first, second, third = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(first + bytes(len(second) - 1) + b"\n" + third)
    assert recover(journal) == 2
    assert keys_of(journal) == [keys(range(3))[0], keys(range(3))[2]]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payload=st.dictionaries(st.text(), _JSON, max_size=4), host=st.none() | st.text())
def test_an_event_comes_back_as_it_was(
    journal: Journal, payload: dict[str, object], host: str | None
) -> None:
    given_ = EventDraft(
        source="replay:r", kind="replay.again", key="k", occurred_at=datetime.now(UTC),
        payload=payload, directory=host,
    )  # fmt: skip
    found: list[EventDraft] = []

    class Book(Journal):
        def append(self, batch: Batch) -> Appended:
            found.extend(batch.events)
            return Appended(first_seq=1, last_seq=1, new=1, known=0, lock_retries=0)

    with Spool(journal, "r") as spool:
        spool.keep([given_])
    recover(Book(journal.path))
    assert found == [given_]
    assert canonical_json(found[0].payload) == canonical_json(payload)
