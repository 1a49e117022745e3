"""The border to the journal: judged anew only where something may have changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import SettingsError, ShadowError
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from harness.notify.channels.file import FileChannel
from harness.notify.ledger import Policy
from harness.notify.look import RELOOK_AFTER, JournalLook
from harness.notify.notifier import Notifier
from harness.notify.state import StateFile
from harness.settings import CompareSettings, Settings
from tests.support.events import at, make_control, make_job
from tests.support.journals import (
    COMPLETE_UNTIL,
    RECORDED_AT,
    make_journal,
    make_watermarks,
    sound_job,
)

COMPLAINTS = "gate:shadow.complaints"
HOLDER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now: datetime = RECORDED_AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A sound job, and an attestation that counts for a minute more."""
    said = EventDraft(
        source="operator", kind="attest", key="attest:1", occurred_at=at(90),
        payload={"name": "no_customer_complaints", "by": "Ana Ruiz", "holds": True, "note": "",
                 "until": (RECORDED_AT + timedelta(minutes=1)).isoformat()},
    )  # fmt: skip
    return make_journal(tmp_path, [*sound_job(), said])


def look_at(journal: Journal, clock: Clock, **settings: object) -> JournalLook:
    chosen = Settings(journal=journal.path, **settings)  # type: ignore[arg-type]
    return JournalLook(chosen, clock=clock, busy_timeout_s=0.2)


def test_it_is_judged_anew_when_something_was_recorded_and_not_before(
    journal: Journal, clock: Clock
) -> None:
    look = look_at(journal, clock)
    first = look()
    assert look() is first
    journal.append(Batch(events=(make_job("22222222-2222-4222-8222-222222222222"),)))
    assert look().seq == first.seq + 1


def test_an_attestation_expires_although_nothing_is_recorded(
    journal: Journal, clock: Clock
) -> None:
    look = look_at(journal, clock)
    assert look().states[COMPLAINTS].value == "pass"
    clock.now += RELOOK_AFTER
    standing = look()
    assert standing.states[COMPLAINTS].value == "open"
    assert standing.seq == look().seq


def test_a_locked_journal_is_trouble_that_passes_and_what_came_meanwhile_is_told(
    journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    notifier = Notifier(
        look_at(journal, clock), [FileChannel(tmp_path / "told.jsonl")],
        StateFile(tmp_path / "state.json"), journal="week.duckdb",
        policy=Policy(quiet_s=600.0, per_hour=10), wait=lambda _: False, clock=clock,
    )  # fmt: skip
    assert notifier.once().trouble is None
    with held(journal):
        clock.now += timedelta(minutes=1)
        trouble = notifier.once().trouble
    assert trouble is not None
    assert "another process kept the journal locked" in trouble
    lost = (
        make_job("2" * 32),
        make_control("submitted", job_id="2" * 32, second=60),
    )  # fmt: skip
    journal.append(Batch(events=lost, watermarks=make_watermarks(COMPLETE_UNTIL)))
    clock.now += timedelta(minutes=1)
    done = notifier.once()
    assert (done.trouble, done.failed) == (None, False)
    _, second = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert "finding:live:never_enqueued" in {notice["what"] for notice in second["notices"]}


@contextmanager
def held(journal: Journal) -> Iterator[None]:
    """Let another process hold the journal's lock."""
    command = [sys.executable, "-c", HOLDER, str(journal.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate("")


@pytest.mark.parametrize("content", [b"", b"no journal at all"])
def test_a_file_that_is_no_journal_is_trouble(tmp_path: Path, clock: Clock, content: bytes) -> None:
    path = tmp_path / "other.duckdb"
    path.write_bytes(content)
    with pytest.raises(ShadowError):
        look_at(Journal(path), clock)()


def test_rules_are_read_anew_and_wrong_ones_are_trouble(
    journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("version = 1\n")
    look = look_at(journal, clock, compare=CompareSettings(rules=rules))
    look()
    rules.write_text("version = = 1\n")
    clock.now += RELOOK_AFTER
    with pytest.raises(SettingsError, match="rules"):
        look()
