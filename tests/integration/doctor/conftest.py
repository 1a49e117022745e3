"""One PostgreSQL server a run, one database a test, and what it takes to paste a mend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import Cluster, Production, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def production(cluster: Cluster) -> Iterator[Production]:
    with cluster.database() as database:
        yield database


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHADOW_DSN", "DATABASE_URL", "PGPASSWORD", "PGSSLMODE", "PREFECT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
