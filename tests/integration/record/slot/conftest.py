"""One server for each plugin, a database and a source for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.journal.store import Journal
from harness.record.slot.source import SlotSource
from tests.integration.record.slot.kit import Decoding, connected, poll
from tests.support.postgres import Production
from tests.support.servers import missing_postgres
from tests.support.slots import decoded_database, decoding_cluster


@pytest.fixture(
    scope="module", params=[(18, "pgoutput"), (15, "test_decoding")], ids=lambda param: param[1]
)
def decoding(request: pytest.FixtureRequest) -> Iterator[Decoding]:
    version, plugin = request.param
    if missing := missing_postgres(version):
        pytest.skip(missing)
    with decoding_cluster(version) as cluster:
        yield Decoding(cluster, plugin)


@pytest.fixture
def production(decoding: Decoding) -> Iterator[Production]:
    with decoded_database(decoding.cluster) as database:
        yield database


@pytest.fixture
def source(decoding: Decoding, production: Production, journal: Journal) -> Iterator[SlotSource]:
    """Its first copy is made, of nothing."""
    with closing(connected(decoding, production, journal)) as made:
        poll(made, journal)
        assert made.streaming
        yield made
