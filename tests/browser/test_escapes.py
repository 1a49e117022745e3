"""A run against a hostile site: stopped, counted, journaled, and loud at the end."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import replay.run
from harness.cli.main import run
from harness.journal.store import Journal
from harness.model import Order
from replay.run import ReplayConfig
from replay.sandbox.conditions import Condition
from replay.sandbox.sites import Site
from tests.browser.hostile import RECORDED_AS, HostileSite, ways_at
from tests.browser.outside import Outside
from tests.support.events import make_control
from tests.support.replays import make_journal, make_steps, payloads_of, submissions_of

HOST = "hostile.example"
HOSTS = {path: f"{path.strip('/').replace('_', '-') or 'all'}.{HOST}" for path in HostileSite.paths}
"""A directory for each page: some lead a worker away, which ends its plan."""


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as listening:
        yield listening


def hostile_week(folder: Path, paths: Iterable[str]) -> Journal:
    """A journal whose plans open these pages and stay there for a while."""
    events = []
    for path in paths:
        host = HOSTS[path]
        steps = [
            {"action": "goto", "url": f"https://{host}{path}"},
            {"action": "wait", "seconds": 1.5},
        ]
        events += [make_control(host=host), make_steps(host, {}, steps=steps)]
    return make_journal(folder, *events)


def hostile_sites(outside: Outside) -> functools.partial[object]:
    """`replay` with a hostile site in place of every recorded one."""

    def site_for(order: Order, condition: Condition) -> Site:
        return HostileSite(outside)

    return functools.partial(replay.run.replay, site_for=site_for)


def test_attempts_are_stopped_and_journaled_by_kind(tmp_path: Path, outside: Outside) -> None:
    journal = hostile_week(tmp_path, HOSTS)
    state = hostile_sites(outside)(journal, ReplayConfig(run="r"))
    assert outside.came == []
    events = payloads_of(journal, "replay.escape")
    recorded = {(event["kind"], outside.way_of(event["url"])) for event in events}
    for kind, ways in RECORDED_AS.items():
        assert {(kind, way) for way in ways & ways_at(outside)} - recorded == set()
    assert state.escapes == sum(event["count"] for event in events) > 20
    submissions = submissions_of(journal, "r")
    assert sum(one["escapes"] for one in submissions.values()) == state.escapes
    with journal.reader() as reader:
        found = reader.rows(
            "SELECT DISTINCT source, job_id IS NOT NULL, directory FROM events_now "
            "WHERE kind = 'replay.escape'"
        )
    assert set(found) == {("replay:r", True, host) for host in HOSTS.values()}
    layers = {event["kind"]: event["layer"] for event in events}
    assert {layers[kind] for kind in ("proxy", "websocket", "webrtc", "fetch")} == {
        "proxy", "sockets", "webrtc", "routes"
    }  # fmt: skip
    steps = {outside.way_of(event["url"]): event["step"] for event in events}
    assert steps["form"] in (f"1: goto https://{HOSTS['/form']}/form", "2: wait")
    assert all(step.startswith(("1: goto", "2: wait")) for step in steps.values())


def test_the_command_leaves_with_4_after_an_attempt(
    outside: Outside,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replay.run, "replay", hostile_sites(outside))
    journal = hostile_week(tmp_path, ["/"])
    # One look with evidence on: what keeps it must not open the seal.
    at = ["--journal", str(journal.path), "--run", "r", "--evidence", "1"]
    assert run(["replay", *at]) == 4
    assert "ATTEMPTS TO LEAVE THE SANDBOX, all stopped:" in capsys.readouterr().out
    assert outside.came == []
    # Also when it is asked again what the finished run was like.
    assert run(["replay", "--journal", str(journal.path), "--resume", "r", "--json"]) == 4
