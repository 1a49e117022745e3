"""One PostgreSQL server a run, one database and one journal a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.journal.store import Journal
from tests.support.postgres import Cluster, Production, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def production(cluster: Cluster) -> Iterator[Production]:
    with cluster.database() as database:
        yield database


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "week.duckdb")
