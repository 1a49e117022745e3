"""A run against a hostile site: stopped, counted, journaled, and loud at the end."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import replay.run
from harness.cli.main import run
from harness.journal.store import Journal
from harness.model import Order
from replay.run import ReplayConfig
from replay.sandbox.conditions import Condition
from replay.sandbox.sites import Site
from tests.browser.hostile import HostileSite
from tests.browser.outside import Outside
from tests.support.events import make_control
from tests.support.replays import make_journal, make_steps, payloads_of, submissions_of

HOST = "hostile.example"
PATHS = ("/", "/form", "/redirect")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as listening:
        yield listening


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    pause = {"action": "wait", "seconds": 1.5}
    pages = [{"action": "goto", "url": f"https://{HOST}{path}"} for path in PATHS]
    steps = [step for page in pages for step in (page, pause)]
    return make_journal(tmp_path, make_control(host=HOST), make_steps(HOST, {}, steps=steps))


def hostile_sites(outside: Outside) -> functools.partial[object]:
    """`replay` with a hostile site in place of every recorded one."""

    def site_for(order: Order, condition: Condition) -> Site:
        return HostileSite(outside)

    return functools.partial(replay.run.replay, site_for=site_for)


def test_attempts_are_stopped_and_journaled_by_kind(journal: Journal, outside: Outside) -> None:
    state = hostile_sites(outside)(journal, ReplayConfig(run="r"))
    assert outside.came == []
    events = payloads_of(journal, "replay.escape")
    kinds = {event["kind"] for event in events}
    assert {"fetch", "image", "form", "websocket", "popup", "beacon", "webrtc"} <= kinds
    paths = {urlsplit(event["url"]).path for event in events}
    assert {"/fetch", "/image", "/form", "/websocket", "/popup", "/redirect"} <= paths
    assert state.escapes == sum(event["count"] for event in events) > 20
    assert submissions_of(journal, "r")[HOST]["escapes"] == state.escapes
    with journal.reader() as reader:
        found = reader.rows(
            "SELECT DISTINCT source, job_id IS NOT NULL, directory FROM events_now "
            "WHERE kind = 'replay.escape'"
        )
    assert found == [("replay:r", True, HOST)]


def test_the_command_leaves_with_4_after_an_attempt(
    journal: Journal,
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replay.run, "replay", hostile_sites(outside))
    assert run(["replay", "--journal", str(journal.path), "--run", "r"]) == 4
    assert "ATTEMPTS TO LEAVE THE SANDBOX, all stopped:" in capsys.readouterr().out
    assert outside.came == []
    # Also when it is asked again what the finished run was like.
    assert run(["replay", "--journal", str(journal.path), "--resume", "r", "--json"]) == 4
