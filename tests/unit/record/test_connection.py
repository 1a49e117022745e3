"""A source that cannot be reached is one line without a secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import JournalBusyError, SourceError
from harness.record.lock import recorder_lock
from harness.record.postgres.connection import SourceConnection


def failure(dsn: str) -> str:
    with pytest.raises(SourceError) as caught, SourceConnection(dsn).snapshot():
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://recorder:hunter2@db.example:notaport/app",
        "host=db.example password='hunter2 dbname=app",
        "hunter2",
    ],
)
def test_a_dsn_that_is_none_is_refused_without_quoting_it(dsn: str) -> None:
    with pytest.raises(SourceError) as caught, SourceConnection(dsn).snapshot():
        pass
    assert "hunter2" not in str(caught.value)
    assert "SHADOW_DSN" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_down_is_named_with_the_mend_and_without_the_password() -> None:
    message = failure("postgresql://recorder:hunter2@127.0.0.1:1/app")
    assert message.startswith("recorder@127.0.0.1:1/app: ")
    assert "SHADOW_DSN" in message
    assert "hunter2" not in message
    assert "\n" not in message


def test_a_socket_that_is_missing_is_named(tmp_path: Path) -> None:
    message = failure(f"host={tmp_path} dbname=app")
    assert str(tmp_path) in message
    assert "\n" not in message


def test_a_second_recorder_is_refused_with_the_process_that_holds_the_journal(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "week.duckdb"
    refused = pytest.raises(JournalBusyError, match=r"process \d+ already records into it")
    with recorder_lock(journal), refused, recorder_lock(journal):
        pass
    with recorder_lock(journal):
        pass
    assert list(tmp_path.iterdir()) == []
