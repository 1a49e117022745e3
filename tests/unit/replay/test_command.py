"""What `shadow replay` makes of its words, before and after the run itself."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import replay.run
from harness.cli.main import run
from harness.cli.stopping import stopping
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from replay.run import ReplayConfig, ReplayState
from replay.schedule import Schedule
from replay.worker.contract import Timeouts
from tests.support.events import JOB, make_history, make_replay
from tests.support.replays import accepted, make_journal


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ReplayConfig]:
    """A journal is there by its default name; runs are only written down."""
    configs: list[ReplayConfig] = []

    def pretend(journal: Journal, config: ReplayConfig, **options: Any) -> ReplayState:
        configs.append(config)
        state = ReplayState(
            run=config.run, selected=9, done=5, excluded=1, agreeing=4, differing=1, crashed=1,
            again=2, flaky=1, evidence=2, evidence_dropped=4, overloaded=3, lag_s=250,
            rate_per_s=1.5,
        )  # fmt: skip
        options["on_progress"](state)
        return state

    for name in [name for name in os.environ if name.startswith("SHADOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    make_journal(tmp_path, *accepted(1)).path.rename("shadow.duckdb")
    monkeypatch.setattr(replay.run, "replay", pretend)
    return configs


def test_words_become_a_configuration(called: list[ReplayConfig], tmp_path: Path) -> None:
    settings = '[replay]\ngoto_timeout = "2s"\naction_timeout = "500ms"\nconcurrency = 3\n'
    (tmp_path / "shadow.toml").write_text(settings, encoding="utf-8")
    words = ["--jobs", "a, b", "--limit", "7", "--seed", "3", "--run", "x", "--concurrency", "2"]
    assert run(["replay", *words]) == 0
    assert called[0] == ReplayConfig(
        run="x", jobs=("a", "b"), limit=7, seed=3, concurrency=2, evidence=20,
        timeouts=Timeouts(goto_ms=2000, action_ms=500, idle_ms=30_000),
    )  # fmt: skip
    assert run(["replay", "--resume", "x"]) == 0
    assert (called[1].run, called[1].resume, called[1].concurrency) == ("x", True, 3)
    assert run(["replay", "--concurrency", "auto"]) == 0
    assert called[2].concurrency is None
    assert called[2].run.startswith("run-")


def test_words_that_select_and_pace_become_a_configuration(called: list[ReplayConfig]) -> None:
    words = ["--since", "2026-11-20T09:00", "--until", "2026-11-20T10:00+00:00"]
    words += ["--outcome", "failed, missing", "--sample", "5", "--schedule", "x10"]
    words += ["--max-minutes", "1.5", "--evidence", "0", "--evidence-mb", "9", "--run", "x"]
    assert run(["replay", *words]) == 0
    nine = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert called[0] == ReplayConfig(
        run="x", since=nine, until=nine + timedelta(hours=1), outcomes=("failed", "missing"),
        sample=5, schedule=Schedule(speed=10), max_minutes=1.5, evidence=0, evidence_mb=9,
        timeouts=Timeouts(goto_ms=30_000, action_ms=10_000, idle_ms=30_000),
    )  # fmt: skip
    # A seq means when that event was recorded.
    assert run(["replay", "--since", "1"]) == 0
    assert called[1].since is not None


def test_a_second_run_follows_only_one_that_came_to_its_end(called: list[ReplayConfig]) -> None:
    assert run(["replay", "--run", "x", "--twice"]) == 0
    assert [config.run for config in called] == ["x"]


@pytest.mark.usefixtures("called")
def test_what_another_version_changed_is_told_and_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(name: str, claimed: str, accepted: int) -> EventDraft:
        draft = make_replay(claimed, accepted=accepted, run=name, host="site-0.example")
        return replace(draft, payload={**draft.payload, "condition": "accepted"})

    Journal.open(tmp_path / "shadow.duckdb").append(
        Batch(events=(ended("a", "failed", 0), ended("b", "submitted", 1), ended("c", "failed", 0)))
    )
    assert run(["replay", "--run", "b", "--against", "a"]) == 1
    out = capsys.readouterr().out
    assert "b against a: 1 of 1 changed (1 fixed, 0 broke, 0 other)" in out
    assert f"  fixed: {JOB}/site-0.example\n    before: failed, 0 stored of 1 received" in out
    assert run(["replay", "--run", "c", "--against", "a"]) == 0
    capsys.readouterr()
    assert run(["replay", "--run", "a", "--against", "b", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [change["kind"] for change in told["changes"]["changes"]] == ["broke"]


def test_what_differs_in_production_is_selected_by_its_pairs(
    tmp_path: Path, called: list[ReplayConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--differing"]) == 2
    assert "--differing: no pair differs in production" in capsys.readouterr().err
    Journal.open(tmp_path / "shadow.duckdb").append(
        Batch(
            events=(
                make_history("submitting", number=1, host="site-0.example"),
                make_history("failed", number=2, host="site-0.example", second=9),
            )
        )
    )
    assert run(["replay", "--differing"]) == 0
    assert called[0].pairs == ((JOB, "site-0.example"),)
    assert run(["replay", "--cluster", "nosuch"]) == 2
    told = capsys.readouterr().err
    assert "--cluster nosuch: there is no such cluster. Known: " in told
    cluster = told.partition("Known: ")[2].partition(";")[0]
    assert run(["replay", "--cluster", cluster, "--differing"]) == 0
    assert called[1].pairs == called[0].pairs


def test_a_pair_is_selected_by_its_name_alone(
    called: list[ReplayConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--pair", f"{JOB}/site-0.example"]) == 0
    assert called[0].pairs == ((JOB, "site-0.example"),)
    for wrong, words in (
        (["--pair", JOB], "is no JOB/DIRECTORY"),
        (["--pair", f"{JOB}/site-0.example", "--differing"], "--pair stands alone"),
    ):
        assert run(["replay", *wrong]) == 2
        assert words in capsys.readouterr().err


def test_json_is_all_that_is_printed(
    called: list[ReplayConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["schema_version"] == 1
    assert json.loads(out)["left"] == 3
    assert err == ""


def test_a_person_reads_how_it_stands_and_how_to_go_on(
    called: list[ReplayConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--run", "x"]) == 0
    out, err = capsys.readouterr()
    assert err == "x: 6 of 9, 1.5/s, 2 s left, 1 of 5 differ (20.0 %)\n"
    assert "looked at again: 2, of them flaky: 1" in out
    assert "evidence kept: 2; 4 older ones dropped to keep to --evidence-mb; look with:" in out
    assert "TIMED OUT WHILE THIS MACHINE WAS STARVED: 3;" in out
    assert "fell behind its schedule by 4 min at worst" in out
    assert "same outcome as the control: 4 of 5" in out
    assert "not done yet: 3; go on with: shadow replay --resume x" in out
    assert "nothing tried to leave the sandbox" in out


@pytest.mark.parametrize(
    "words",
    [
        ["--concurrency", "0"],
        ["--concurrency", "many"],
        ["--limit", "0"],
        ["--worker", "other"],
        ["--run", "a", "--resume", "b"],
        ["--journal", "nowhere.duckdb"],
        ["--twice", "--against", "a"],
        ["--run", "a", "--against", "a"],
        ["--schedule", "fast"],
        ["--since", "yesterday"],
        ["--max-minutes", "0"],
        ["--sample", "0"],
    ],
)
def test_wrong_words_are_exit_code_2(called: list[ReplayConfig], words: list[str]) -> None:
    assert run(["replay", *words]) == 2
    assert called == []


def test_an_unknown_run_cannot_be_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    assert run(["replay", "--journal", str(journal.path), "--resume", "x"]) == 2
    assert "Start it with --run x" in capsys.readouterr().err


def test_the_first_signal_asks_and_the_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop: threading.Event
    stop = threading.Event()
    with stopping(stop, words="Stopping"):
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
