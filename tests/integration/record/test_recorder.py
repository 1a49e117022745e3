"""The recorder as a whole: going on after a stop, outages, the queues, its end, its cost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.demo.sqs import REGION, LocalSqs
from harness.errors import JournalBusyError
from harness.journal.store import Journal, utc_now
from harness.journal.verify import verify
from harness.model import Appended, Batch, EventKind
from harness.record.chunk import CensusRequest, Chunk
from harness.record.postgres.source import PostgresSource
from harness.record.recorder import Recorder, RecorderConfig, RecorderProgress
from harness.record.samples.sqs import QueueSource
from harness.record.sources import make_samplers
from tests.contracts.source import recorded
from tests.support.load import assert_same, fill
from tests.support.postgres import Cluster, Production, add_history, add_job
from tests.support.processes import wait_for

DEADLINE_S = 30.0


@dataclass(slots=True)
class Running:
    """A recorder that works in a thread of its own."""

    stop: threading.Event = field(default_factory=threading.Event)
    heard: list[RecorderProgress] = field(default_factory=list)

    @property
    def now(self) -> RecorderProgress:
        return self.heard[-1] if self.heard else RecorderProgress()


def config_for(production: Production, **changes: Any) -> RecorderConfig:
    config = RecorderConfig(
        dsn=production.recorder_dsn,
        tick_s=0.05,
        sweep_min_interval_s=0.2,
        sweep_max_share=0.5,
        sample_every_s=0.1,
        backoff_max_s=0.3,
    )
    return replace(config, **changes)


def record_until_idle(config: RecorderConfig, journal: Journal) -> RecorderProgress:
    return Recorder(config, journal).run(until_idle_s=0.1, for_s=DEADLINE_S)


@contextmanager
def running(recorder: Recorder) -> Iterator[Running]:
    """Record while the block runs; an error of the recorder is raised at its end."""
    it = Running()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            recorder.run(stop=it.stop, on_progress=it.heard.append)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="recorder")
    thread.start()
    try:
        yield it
    finally:
        it.stop.set()
        thread.join()
    if failures:
        raise failures[0]


def payloads(journal: Journal, kind: EventKind) -> list[dict[str, Any]]:
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT payload FROM events_now WHERE kind = $kind ORDER BY seq", kind=str(kind)
        )
    return [json.loads(text) for (text,) in rows]


def wait_recorded(journal: Journal, row: str) -> None:
    wait_for(
        lambda: row in recorded(journal, EventKind.QUEUE_HISTORY),
        what="the row's arrival in the journal",
        timeout_s=DEADLINE_S,
    )


def test_a_recorder_that_is_started_again_goes_on_without_a_gap(
    production: Production, journal: Journal
) -> None:
    fill(production, history_rows=500, jobs=5)
    first = record_until_idle(config_for(production), journal)
    with production.connect() as owner:
        add_history(owner, add_job(owner), "submitted")
        owner.execute("UPDATE jobs SET status = 'in_progress' WHERE status = 'pending'")
    second = record_until_idle(config_for(production), journal)
    assert first.rows == 500 + 5 * 7
    # The history row; the customer; the new job and the five others in their new version.
    assert second.rows == 1 + 1 + 6
    assert assert_same(production, journal) == 501
    assert [start["resumed"] for start in payloads(journal, EventKind.RECORD_STARTED)] == [
        False,
        True,
    ]
    assert all(end["complete"] for end in payloads(journal, EventKind.RECORD_STOPPED))
    assert payloads(journal, EventKind.RECORD_GAP) == []
    assert verify(journal.path).clean


def test_a_long_pause_between_two_recorders_is_a_gap_of_that_length(
    production: Production, tmp_path: Path
) -> None:
    pause = timedelta(minutes=10)
    path = tmp_path / "week.duckdb"
    record_until_idle(config_for(production), Journal.create(path, clock=lambda: utc_now() - pause))
    journal = Journal.open(path)
    record_until_idle(config_for(production), journal)
    record_until_idle(config_for(production), journal)
    (gap,) = payloads(journal, EventKind.RECORD_GAP)
    assert gap["what"] == "recorder"
    assert gap["why"] == "the recorder was not running"
    length = _moment(gap["until"]) - _moment(gap["from"])
    assert timedelta() <= length - pause < timedelta(seconds=DEADLINE_S)


def test_an_outage_of_the_server_is_a_gap_with_its_reason_and_recording_goes_on(
    cluster: Cluster, production: Production, journal: Journal
) -> None:
    with production.connect() as owner:
        job = add_job(owner)
    with running(Recorder(config_for(production), journal)) as it:
        wait_for(lambda: it.now.sweeps > 0, what="the first copy")
        cluster.stop()
        try:
            wait_for(lambda: it.now.failing != (), what="the outage's notice")
        finally:
            cluster.start()
        with production.connect() as owner:
            row = add_history(owner, job, "submitted")
        wait_recorded(journal, row)
    (gap,) = payloads(journal, EventKind.RECORD_GAP)
    assert gap["what"] == "production"
    assert production.name in gap["why"]
    assert _moment(gap["from"]) < _moment(gap["until"])
    assert it.now.failing == ()
    assert verify(journal.path).clean


def test_a_table_that_may_not_be_read_any_more_is_a_gap_of_its_own_and_mends_without_loss(
    production: Production, journal: Journal
) -> None:
    with production.connect() as owner:
        job = add_job(owner)
    with running(Recorder(config_for(production), journal)) as it:
        wait_for(lambda: it.now.sweeps > 0, what="the first copy")
        production.execute("REVOKE SELECT ON queue_history FROM shadow_recorder")
        wait_for(lambda: any("queue_history" in why for why in it.now.failing), what="the notice")
        with production.connect() as owner:
            row = add_history(owner, job, "submitted")
            other = add_job(owner)
        wait_for(
            lambda: any(key.startswith(other) for key in recorded(journal, EventKind.JOBS)),
            what="the new job: other tables go on",
        )
        complete = it.now.complete_until
        assert row not in recorded(journal, EventKind.QUEUE_HISTORY)
        production.execute("GRANT SELECT ON queue_history TO shadow_recorder")
        wait_recorded(journal, row)
    assert complete is not None
    assert it.now.complete_until is not None
    assert it.now.complete_until > complete
    assert "production:queue_history" in {
        gap["what"] for gap in payloads(journal, EventKind.RECORD_GAP)
    }
    assert_same(production, journal)


def test_workers_are_counted_beside_the_rows(production: Production, journal: Journal) -> None:
    production.execute(
        "INSERT INTO worker_status (worker_id, status, last_heartbeat)"
        " VALUES ('poller-1', 'running', now())"
    )
    record_until_idle(config_for(production), journal)
    sample = payloads(journal, EventKind.WORKERS_SAMPLE)[0]
    assert [one["worker"] for one in sample["control"]] == ["poller-1"]
    assert sample["stale"] == []


def test_queues_are_sampled_with_their_depths_and_dead_letters(
    production: Production, journal: Journal
) -> None:
    with LocalSqs() as sqs:
        for number in range(3):
            sqs.client.send_message(QueueUrl=sqs.queue_url, MessageBody=str(number))
        sqs.client.receive_message(QueueUrl=sqs.queue_url, MaxNumberOfMessages=1)
        sqs.client.send_message(QueueUrl=sqs.dlq_url, MessageBody="poison")
        queues = QueueSource(
            queue_url=sqs.queue_url, dlq_url=sqs.dlq_url, region=REGION, client=sqs.client
        )
        with running(Recorder(config_for(production), journal, samplers=[queues])) as it:
            wait_for(lambda: it.now.dlq_depth is not None, what="a sample")
    sample = payloads(journal, EventKind.SQS_SAMPLE)[0]
    expected = {
        "queue_depth": 2,
        "in_flight": 1,
        "delayed": 0,
        "dlq_depth": 1,
        "dlq_in_flight": 0,
    }
    assert sample | expected == sample
    assert payloads(journal, EventKind.SQS_DEAD_LETTER)
    assert (it.now.queue_depth, it.now.dlq_depth) == (2, 1)
    assert payloads(journal, EventKind.RECORD_GAP) == []


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "no address"])
def test_a_queue_that_cannot_be_read_is_a_gap_and_rows_are_recorded_all_the_same(
    production: Production,
    journal: Journal,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    config = config_for(
        production,
        queue_url="http://127.0.0.1:1/123456789012/directorybolt-jobs",
        endpoint_url=endpoint,
    )
    with running(Recorder(config, journal, samplers=make_samplers(config, {}))) as it:
        wait_for(lambda: it.now.failing != (), what="the queue's failure")
        with production.connect() as owner:
            row = add_history(owner, add_job(owner), "submitted")
        wait_recorded(journal, row)
    (gap,) = payloads(journal, EventKind.RECORD_GAP)
    assert gap["what"] == "shadow queue"
    assert "SQS_QUEUE_URL" in gap["why"]
    assert payloads(journal, EventKind.SQS_SAMPLE) == []


def test_idleness_ends_it_only_after_a_sweep_that_found_nothing(
    production: Production, journal: Journal
) -> None:
    with production.connect() as owner:
        job = add_job(owner)
    hidden: list[str] = []

    def hide_a_row(progress: RecorderProgress) -> None:
        # A row that is dated back: no tick asks for it, and no sweep is due for an hour.
        if not hidden:
            hidden.append(
                str(
                    production.execute(
                        "INSERT INTO queue_history (job_id, event, created_at)"
                        " VALUES (%s, 'submitted', now() - interval '1 day') RETURNING id",
                        [job],
                    )[0][0]
                )
            )

    config = config_for(production, sweep_min_interval_s=3600.0)
    ended = Recorder(config, journal).run(
        until_idle_s=0.3, for_s=DEADLINE_S, on_progress=hide_a_row
    )
    assert hidden[0] in recorded(journal, EventKind.QUEUE_HISTORY)
    # After the copy: the sweep that found the row, the one that found nothing, the last one.
    assert ended.sweeps == 3
    assert ended.polls > ended.sweeps


def test_a_tick_that_is_late_is_not_overlapped_by_the_next(
    production: Production, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[int] = []
    active = threading.Semaphore(1)
    poll = PostgresSource.poll

    def slow_poll(
        self: PostgresSource, *, full: bool, census: CensusRequest | None = None
    ) -> Generator[Chunk, None, None]:
        alone = active.acquire(blocking=False)
        at_once.append(1 if alone else 2)
        late = time.monotonic() + 0.15
        yield from poll(self, full=full, census=census)
        wait_for(lambda: time.monotonic() > late, what="three ticks")
        if alone:
            active.release()

    monkeypatch.setattr(PostgresSource, "poll", slow_poll)
    with running(Recorder(config_for(production), journal)):
        wait_for(lambda: len(at_once) >= 4, what="some polls")
    assert set(at_once) == {1}


def test_a_source_that_keeps_the_recorder_waiting_is_a_gap(
    production: Production, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls: list[float] = []
    poll = PostgresSource.poll

    def held_up_once(
        self: PostgresSource, *, full: bool, census: CensusRequest | None = None
    ) -> Generator[Chunk, None, None]:
        polls.append(time.monotonic())
        if len(polls) == 4:
            # As a pooler does whose server does not answer.
            time.sleep(6.0)
        yield from poll(self, full=full, census=census)

    monkeypatch.setattr(PostgresSource, "poll", held_up_once)
    with running(Recorder(config_for(production, restart_gap_s=5.0), journal)):
        wait_for(lambda: len(polls) > 6, what="the polls after the wait")
    gaps = payloads(journal, EventKind.RECORD_GAP)
    assert any("kept the recorder waiting" in gap["why"] for gap in gaps)


def test_sweeps_take_no_more_than_their_share_of_the_time(
    production: Production, journal: Journal
) -> None:
    fill(production, history_rows=2_000, jobs=5)
    share = 0.05
    config = config_for(production, sweep_min_interval_s=0.01, sweep_max_share=share)
    with running(Recorder(config, journal)) as it:
        wait_for(lambda: it.now.sweeps > 0, what="the first copy")
        copied_s, copy = time.monotonic(), it.now
        wait_for(lambda: it.now.sweeps > copy.sweeps + 3, what="some sweeps", timeout_s=60)
        elapsed_s = time.monotonic() - copied_s
        later = it.now
    costs_ms = [one.cost_ms for one in it.heard if one.tier == "sweep"]
    spent_s = (later.sweeps_cost_ms - copy.sweeps_cost_ms) / 1000
    assert spent_s - max(costs_ms) / 1000 <= share * elapsed_s


def test_a_journal_that_another_process_holds_is_a_gap_and_nothing_is_lost(
    production: Production, tmp_path: Path
) -> None:
    journal = Journal.create(tmp_path / "week.duckdb", busy_timeout_s=0.2)
    with running(Recorder(config_for(production), journal)) as it:
        wait_for(lambda: it.now.sweeps > 0, what="the first copy")
        with held_by_another_process(journal.path), production.connect() as owner:
            row = add_history(owner, add_job(owner), "submitted")
            wait_for(lambda: it.now.failing != (), what="the lock's notice")
        wait_recorded(Journal.open(journal.path), row)
    assert recorded(journal, EventKind.QUEUE_HISTORY)[row] == 1
    gaps = payloads(journal, EventKind.RECORD_GAP)
    # On a busy machine our own reading may hold it up once more.
    assert {gap["what"] for gap in gaps} == {"journal"}
    assert verify(journal.path).clean


def test_a_first_copy_that_is_stopped_midway_is_begun_again_and_each_row_is_there_once(
    production: Production, journal: Journal
) -> None:
    fill(production, history_rows=300, jobs=5)
    config = config_for(production, chunk_rows=50)
    stop = threading.Event()
    ended = Recorder(config, journal).run(stop=stop, on_progress=lambda _: stop.set())
    assert 0 < ended.rows < 300
    assert ended.complete_until is None
    assert journal.watermark("production") is None
    (stopped,) = payloads(journal, EventKind.RECORD_STOPPED)
    assert stopped["complete"] is False
    record_until_idle(config, journal)
    assert assert_same(production, journal) == 300


def test_a_sweep_whose_later_chunk_could_not_be_written_is_read_again_from_its_start(
    production: Production, tmp_path: Path
) -> None:
    fill(production, history_rows=300, jobs=5)
    journal = LockedAtTimes(Journal.create(tmp_path / "week.duckdb").path, at=(3, 5, 9))
    record_until_idle(config_for(production, chunk_rows=50), journal)
    assert journal.refused == [3, 5, 9]
    assert assert_same(production, journal) == 300
    assert verify(journal.path).clean


class LockedAtTimes(Journal):
    """A journal that is busy at the appends with these numbers."""

    def __init__(self, path: Path, *, at: Sequence[int]) -> None:
        super().__init__(path)
        self._at = at
        self._appends = 0
        self.refused: list[int] = []

    def append(self, batch: Batch) -> Appended:
        self._appends += 1
        if self._appends in self._at:
            self.refused.append(self._appends)
            raise JournalBusyError("another process kept the journal locked")
        return super().append(batch)


@contextmanager
def held_by_another_process(path: Path) -> Iterator[None]:
    """Keep the journal open for writing elsewhere; waits for the lock like any other."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom harness.journal.connect import opened\n"
        "with opened(Path(sys.argv[1]), read_only=False):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
