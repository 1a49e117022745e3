"""What a supervisor is told: the status file, how it is judged, and the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cli.main import run
from harness.journal.store import Journal, utc_now
from harness.model import Batch, EventDraft, EventKind
from harness.record.progress import RecorderProgress
from harness.record.status import StatusFile, read_health, status_path

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOUND = RecorderProgress(tier="fast", rows=7, complete_until=NOON)


def write(
    folder: Path, progress: RecorderProgress, *, at: datetime = NOON, state: str = "recording"
) -> Path:
    journal = folder / "week.duckdb"
    StatusFile(journal, session="s", sweep_every_s=60.0).write(progress, at, state=state)
    return journal


@pytest.mark.parametrize(
    ("progress", "state", "after_s", "words"),
    [
        (SOUND, "recording", 5, None),
        (replace(SOUND, complete_until=None), "recording", 5, None),
        (SOUND, "recording", 16, "silent for 16 s"),
        (SOUND, "stopped", 1, "stopped in good order"),
        (replace(SOUND, failing=("jobs: permission denied",)), "recording", 1, "permission denied"),
        (replace(SOUND, rewound="the log went back"), "recording", 1, "the log went back"),
        (
            replace(SOUND, complete_until=NOON - timedelta(minutes=4)),
            "recording",
            1,
            "241 s behind",
        ),
    ],
)
def test_a_recorder_is_well_only_while_it_records_and_keeps_up(
    tmp_path: Path, progress: RecorderProgress, state: str, after_s: float, words: str | None
) -> None:
    journal = write(tmp_path, progress, state=state)
    health = read_health(journal, NOON + timedelta(seconds=after_s))
    assert health.well == (words is None)
    assert words is None or words in health.words


def test_trouble_is_written_at_once_and_the_rest_once_a_second(tmp_path: Path) -> None:
    journal = tmp_path / "week.duckdb"
    file = StatusFile(journal, session="s", sweep_every_s=60.0)

    def rows(at_s: float, progress: RecorderProgress) -> int:
        file.write(progress, NOON + timedelta(seconds=at_s), state="recording")
        return int(json.loads(status_path(journal).read_text())["rows"])

    assert rows(0.0, SOUND) == 7
    assert rows(0.5, replace(SOUND, rows=8)) == 7
    assert rows(0.6, replace(SOUND, rows=9, failing=("down",))) == 9
    assert rows(1.7, replace(SOUND, rows=10, failing=("down",))) == 10


def test_the_exit_code_tells_a_supervisor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = write(tmp_path, replace(SOUND, complete_until=utc_now()), at=utc_now())
    assert run(["record", "--status", "--journal", str(journal)]) == 0
    assert run(["record", "--status", "--journal", str(tmp_path / "none.duckdb")]) == 1
    assert "no recorder has run here" in capsys.readouterr().out
    status_path(journal).write_text("{")
    assert run(["record", "--status", "--json", "--journal", str(journal)]) == 1
    assert json.loads(capsys.readouterr().out)["well"] is False


def test_a_word_needs_a_name_and_a_reason_and_is_taken_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    rewound = EventDraft(
        source="recorder",
        kind=EventKind.RECORD_REWOUND,
        key="record.rewound:s:0",
        occurred_at=NOON,
        payload={"table": None, "why": "its log went back"},
    )
    journal.append(Batch(events=(rewound,)))
    word = ["record", "--acknowledge", "--journal", str(journal.path)]
    assert run([*word, "--by", "Ana Ruiz"]) == 2
    assert "--note is missing" in capsys.readouterr().err
    assert run([*word, "--by", "Ana Ruiz", "--note", "restored"]) == 0
    assert "accepted: its log went back" in capsys.readouterr().out
    assert run([*word, "--by", "Ana Ruiz", "--note", "restored"]) == 0
    assert "nothing waits" in capsys.readouterr().out
    with journal.reader() as reader:
        ((count, by),) = reader.rows(
            "SELECT count(*), any_value(payload->>'$.by') FROM events_now"
            " WHERE kind = 'record.acknowledged'"
        )
    assert (count, by) == (1, "Ana Ruiz")
