"""One PostgreSQL server a run, one database and one journal a test.

The modules named in ``ELSEWHERE`` run once more on other servers: their tests carry the server's
name in brackets. Where one is not installed they are skipped with one line that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.demo.postgres import EmbeddedPostgres
from harness.journal.store import Journal
from tests.support.postgres import Cluster, Embedded, Production
from tests.support.servers import LocalPostgres, PgBouncer, missing_pgbouncer, missing_postgres

EMBEDDED = "embedded"
PGBOUNCER = "pgbouncer"
_BOTH = ("postgresql-15", PGBOUNCER)
ELSEWHERE = {
    "test_first_copy": _BOTH,
    "test_left_out": _BOTH,
    "test_recorder": _BOTH,
    "test_reconcile": _BOTH,
    "test_shapes": _BOTH,
    "test_source": ("postgresql-15", "postgresql-16", PGBOUNCER),
    "test_workers": _BOTH,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cluster" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        servers = [pytest.param(EMBEDDED, id=pytest.HIDDEN_PARAM), *ELSEWHERE.get(module, ())]
        metafunc.parametrize("cluster", servers, indirect=True, scope="session")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield started(request.param, stack)


def started(server: str, stack: ExitStack) -> Cluster:
    """Start a server of this name for as long as the stack is open; skip if it is not installed."""
    if server == EMBEDDED:
        return Cluster(Embedded(stack.enter_context(EmbeddedPostgres())))
    if server == PGBOUNCER:
        if missing := missing_pgbouncer():
            pytest.skip(missing)
        behind = stack.enter_context(LocalPostgres(18))
        pooler = stack.enter_context(PgBouncer(behind.dsn))
        return Cluster(behind, through=pooler.route)
    version = int(server.removeprefix("postgresql-"))
    if missing := missing_postgres(version):
        pytest.skip(missing)
    return Cluster(stack.enter_context(LocalPostgres(version)))


@pytest.fixture
def production(cluster: Cluster) -> Iterator[Production]:
    with cluster.database() as database:
        yield database


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "week.duckdb")
