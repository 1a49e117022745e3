"""Random schedules of writers, janitor and recorder: nothing is lost, doubled or claimed too soon.

Every run draws new seeds and prints them; ``SHADOW_TEST_SEED=N`` draws the same ones again, and
continuous integration always does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from harness.journal.store import Journal
from tests.support.postgres import Cluster, Production
from tests.support.schedule_hand import poll_source, slot_source
from tests.support.schedule_run import BrokenPromiseError, run_schedule
from tests.support.schedule_stage import Stage, Tally
from tests.support.schedules import Schedule, base_seed, random_schedule, shrink
from tests.support.servers import LocalPostgres
from tests.support.slots import decoded_database, decoding_cluster

IN_A_BATCH = 10
BASE = base_seed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Schedules of one kind."""

    name: str
    batches: int
    poor: bool = False
    restarts: bool = False
    slot: bool = False


POLLING = (
    Kind(name="privileged", batches=8),
    Kind(name="unprivileged", batches=6, poor=True),
    Kind(name="restarts", batches=4, restarts=True),
    Kind(name="unprivileged-restarts", batches=2, poor=True, restarts=True),
)
"""Together 200 schedules."""
DECODING = (
    Kind(name="slot", batches=2, slot=True),
    Kind(name="slot-unprivileged", batches=1, poor=True, slot=True),
    Kind(name="slot-restarts", batches=1, restarts=True, slot=True),
)
BATCHES = [
    pytest.param(kind, BASE + batch * IN_A_BATCH, id=f"{kind.name}-{batch}")
    for kind in POLLING + DECODING
    for batch in range(kind.batches)
]


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """One that may crash without disturbing another test."""
    with LocalPostgres(18) as server:
        yield Cluster(server)


@pytest.fixture(scope="module")
def decoding() -> Iterator[Cluster]:
    """One that may crash, and decodes its log."""
    with decoding_cluster(18) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def empty_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "empty.duckdb"
    Journal.create(path)
    return path


# Where the connection is cut just before a cursor's CLOSE, psycopg leaves the cursor open.
@pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")
@pytest.mark.parametrize(("kind", "first"), BATCHES)
def test_the_journal_is_the_history_whatever_happens_in_whatever_order(
    kind: Kind,
    first: int,
    cluster: Cluster,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if first == BASE:
        last = first + kind.batches * IN_A_BATCH - 1
        with capsys.disabled():
            # A worker of a parallel run has no other way to the terminal.
            print(f"\nschedules, {kind.name}: seeds {first} to {last}", file=sys.stderr)
    stage = make_stage(kind, request)
    total = Tally()
    for seed in range(first, first + IN_A_BATCH):
        total += run_and_explain(
            random_schedule(seed, poor=kind.poor, restarts=kind.restarts), stage
        )
    # Schedules in which nothing happens would prove nothing.
    assert total.rows > 10 * IN_A_BATCH
    assert total.polls - total.broken_polls > 5 * IN_A_BATCH


def make_stage(kind: Kind, request: pytest.FixtureRequest) -> Stage:
    fixture = "decoding" if kind.slot else "own_cluster" if kind.restarts else "cluster"
    cluster: Cluster = request.getfixturevalue(fixture)
    database: Callable[[], AbstractContextManager[Production]] = cluster.database
    if kind.slot:
        database = partial(decoded_database, cluster)

    def again(mode: str) -> None:
        assert isinstance(cluster.server, LocalPostgres)
        cluster.server.stop(mode)
        cluster.server.start()

    return Stage(
        database=database,
        make_source=slot_source if kind.slot else poll_source,
        empty_journal=request.getfixturevalue("empty_journal"),
        again=again if kind.restarts else None,
        from_log=kind.slot,
    )


def run_and_explain(schedule: Schedule, stage: Stage) -> Tally:
    """Run it; if it fails, fail with the fewest steps that do."""
    try:
        return run_schedule(schedule, stage)
    except BrokenPromiseError as failure:
        said = str(failure)
    smallest = shrink(schedule, lambda candidate: fails(candidate, stage))
    try:
        run_schedule(smallest, stage)
    except BrokenPromiseError as failure:
        said = str(failure)
    pytest.fail(f"{said}\nOnce more: SHADOW_TEST_SEED={schedule.seed}", pytrace=False)


def fails(schedule: Schedule, stage: Stage) -> bool:
    """True if the recorder breaks a promise in this schedule."""
    try:
        run_schedule(schedule, stage)
    except BrokenPromiseError:
        return True
    return False
