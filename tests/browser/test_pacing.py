"""When submissions begin and when a run ends; that a run repeats itself; a machine too busy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext

from harness.cli.main import run as shadow
from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.model import Batch, Claim, Order, Outcome
from replay.machine import Watch
from replay.run import ReplayConfig, replay
from replay.schedule import Schedule
from tests.support.events import make_control, make_history
from tests.support.replays import (
    CAPTCHA,
    REFUSED,
    accepted,
    make_journal,
    payloads_of,
    submissions_of,
)


class Clock:
    """A worker that notes when it begins each order, and takes `takes_s` for it."""

    name = "clock"

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.began: dict[str, float] = {}

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        self.began[order.directory] = asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes_s)
        return Claim(status=Outcome.SUBMITTED, duration_ms=1000 * self.takes_s)


def spaced(folder: Path, *seconds: int) -> Journal:
    """One submission begun at each of these seconds; its host is named for it."""
    return make_journal(
        folder,
        *(
            make_control("submitting", host=f"at-{second}.example", second=second)
            for second in seconds
        ),
        *(
            make_control(host=f"at-{second}.example", version=2, second=second + 1)
            for second in seconds
        ),
    )


def test_recorded_distances_are_kept_n_times_as_fast(tmp_path: Path) -> None:
    journal = spaced(tmp_path, 40, 10, 20)
    worker = Clock()
    config = ReplayConfig(run="r", schedule=Schedule.parse("x10"))
    state = replay(journal, config, worker=worker)
    first = worker.began["at-10.example"]
    assert worker.began["at-20.example"] - first == pytest.approx(1.0, abs=0.6)
    assert worker.began["at-40.example"] - first == pytest.approx(3.0, abs=0.6)
    assert 0 < state.lag_s < 0.7
    assert payloads_of(journal, "replay.started")[0]["schedule"] == "x10"


def test_a_run_that_cannot_keep_its_schedule_says_how_far_it_fell_behind(tmp_path: Path) -> None:
    journal = spaced(tmp_path, 10, 11, 12)
    config = ReplayConfig(run="r", schedule=Schedule.parse("recorded"), concurrency=1)
    state = replay(journal, config, worker=Clock(takes_s=2.0))
    # The third is due two seconds after the first and begins after four.
    assert 1.5 < state.lag_s < 3.5
    assert state.at_once == 1


def test_a_budget_ends_a_run_after_what_is_in_hand(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(6))
    config = ReplayConfig(run="r", concurrency=1, max_minutes=1.2 / 60, evidence=5)
    first = replay(journal, config, worker=Clock(takes_s=0.7))
    assert 0 < first.done < 6
    assert first.out_of_time
    assert not first.finished
    assert (first.again, payloads_of(journal, "replay.finished")) == (0, [])
    rest = replay(journal, ReplayConfig(run="r", resume=True), worker=Clock())
    assert (rest.done, rest.left, rest.finished) == (6, 0, True)


def test_a_timeout_on_a_starved_machine_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = make_journal(tmp_path, *accepted(2))
    starved = True
    monkeypatch.setattr(Watch, "starved_since", lambda self, moment: starved)

    class Late:
        name = "late"

        async def submit(self, order: Order, context: BrowserContext) -> Claim:
            text = "Page.fill: Timeout 10000ms exceeded." if "-0" in order.directory else None
            return Claim(status=Outcome.FAILED, duration_ms=1.0, error_text=text or "no such field")

    state = replay(journal, ReplayConfig(run="r", evidence=2), worker=Late())
    assert (state.done, state.overloaded, state.flaky) == (2, 1, 0)
    found = submissions_of(journal, "r")
    assert [found[f"site-{n}.example"]["overloaded"] for n in (0, 1)] == [True, False]
    starved = False
    assert replay(journal, ReplayConfig(run="quiet"), worker=Late()).overloaded == 0


def test_a_run_like_another_selects_the_same_whatever_came_since(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(4))
    replay(journal, ReplayConfig(run="a", limit=3, seed=2), worker=Clock())
    journal.append(Batch(events=tuple(accepted(9)[4:])))
    state = replay(journal, ReplayConfig(run="b", like="a"), worker=Clock())
    assert (state.selected, state.finished) == (3, True)
    assert set(submissions_of(journal, "b")) == set(submissions_of(journal, "a"))
    with pytest.raises(ReplayError, match=r"against = x: the journal holds no such run"):
        replay(journal, ReplayConfig(run="c", like="x"), worker=Clock())
    with pytest.raises(ReplayError, match=r"limit = 2: run a was started with 3"):
        replay(journal, ReplayConfig(run="c", like="a", limit=2), worker=Clock())


def test_the_same_seed_gives_the_same_outcomes_and_observations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty submissions under every quick condition, twice, several at once."""
    kinds = (
        [make_control("failed", host=f"refused-{n}.example", message=REFUSED) for n in range(4)],
        [make_control("failed", host=f"captcha-{n}.example", message=CAPTCHA) for n in range(4)],
        [
            event
            for n in range(4)
            for event in (
                make_control("failed", host=f"fooled-{n}.example", message=REFUSED),
                make_history("submitting", number=10 + n, host=f"fooled-{n}.example"),
                make_history("submitted", number=20 + n, host=f"fooled-{n}.example", second=9),
            )
        ],
    )
    journal = make_journal(tmp_path, *accepted(8), *(event for kind in kinds for event in kind))
    (tmp_path / "shadow.toml").write_text(
        '[replay]\ngoto_timeout = "20s"\naction_timeout = "20s"\nidle_timeout = "20s"\n',
        encoding="utf-8",
    )
    words = ["--journal", str(journal.path), "--config", str(tmp_path / "shadow.toml")]
    words += ["--run", "r", "--seed", "7", "--twice", "--evidence", "0", "--json"]
    assert shadow(["replay", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["again_as"]["run"] == "r.aa"
    assert (told["done"], told["finished"], told["changes"]["compared"]) == (20, True, 20)
    assert told["changes"]["changes"] == []
    first, second = (timeless(submissions_of(journal, run)) for run in ("r", "r.aa"))
    assert first == second
    assert first["fooled-1.example"]["claimed"]["status"] == "submitted"
    assert first["fooled-1.example"]["observed"]["accepted"] == 0


def timeless(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Payloads without what tells of their run and how long they took."""
    for payload in found.values():
        payload["run"] = payload["claimed"]["duration_ms"] = None
    return found
