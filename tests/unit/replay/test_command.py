"""What `shadow replay` makes of its words, before and after the run itself."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

import replay.run
from harness.cli.main import run
from harness.cli.stopping import stopping
from harness.journal.store import Journal
from replay.run import ReplayConfig, ReplayState
from replay.worker.contract import Timeouts
from tests.support.replays import accepted, make_journal


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ReplayConfig]:
    """A journal is there by its default name; runs are only written down."""
    configs: list[ReplayConfig] = []

    def pretend(journal: Journal, config: ReplayConfig, **options: Any) -> ReplayState:
        configs.append(config)
        state = ReplayState(run=config.run, selected=9, done=5, excluded=1, agreeing=4, crashed=1)
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
        run="x", jobs=("a", "b"), limit=7, seed=3, concurrency=2,
        timeouts=Timeouts(goto_ms=2000, action_ms=500, idle_ms=30_000),
    )  # fmt: skip
    assert run(["replay", "--resume", "x"]) == 0
    assert (called[1].run, called[1].resume, called[1].concurrency) == ("x", True, 3)
    assert run(["replay", "--concurrency", "auto"]) == 0
    assert called[2].concurrency is None
    assert called[2].run.startswith("run-")


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
    assert err == "x: 6 of 9\n"
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
