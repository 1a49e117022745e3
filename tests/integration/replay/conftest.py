"""Servers for replayed stacks, started once for the modules that need them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stacks import Servers, running_servers


@pytest.fixture(scope="package")
def servers() -> Iterator[Servers]:
    with running_servers() as running:
        yield running
