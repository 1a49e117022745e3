"""The built-in worker meets each condition; claim and observation are what the condition says."""

from __future__ import annotations

from typing import Any

import pytest

from harness.journal.store import Journal
from replay.run import ReplayConfig, ReplayState, replay
from tests.support.events import make_control
from tests.support.replays import (
    QUICK,
    SENT,
    every_condition,
    make_journal,
    make_steps,
    payloads_of,
    submissions_of,
)

TYPED = {"name": "x" * 3000, "promo": "", "note": " a\tb  c&d=e+f%20 ", "sign": "🦉 ½ é é"}

Replayed = tuple[Journal, ReplayState]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    journal = make_journal(
        tmp_path_factory.mktemp("conditions"),
        *every_condition(),
        make_control(host="recorded.example"),
        make_steps("recorded.example", TYPED),
    )
    state = replay(journal, ReplayConfig(run="r", timeouts=QUICK, concurrency=2))
    return journal, state


@pytest.mark.parametrize(
    ("host", "status", "words", "posts", "accepted"),
    [
        ("accepted.example", "submitted", None, 1, 1),
        ("refused.example", "failed", "No success indicators found on final page", 1, 0),
        ("misleading.example", "submitted", None, 1, 0),
        ("captcha.example", "failed", "captcha in front of the form", 0, 0),
        ("slow.example", "failed", "Timeout 4000ms exceeded", 0, 0),
    ],
)
def test_claim_and_observation_follow_the_condition(
    replayed: Replayed, host: str, status: str, words: str | None, posts: int, accepted: int
) -> None:
    payload = submissions_of(replayed[0], "r")[host]
    assert payload["claimed"]["status"] == status
    assert (payload["observed"]["posts"], payload["observed"]["accepted"]) == (posts, accepted)
    if words is None:
        assert payload["claimed"]["error_text"] is None
    else:
        assert words in payload["claimed"]["error_text"]


def test_what_was_typed_arrives_exactly(replayed: Replayed) -> None:
    found = submissions_of(replayed[0], "r")
    assert found["recorded.example"]["observed"]["values"] == TYPED
    assert found["recorded.example"]["plan_source"] == "recorded"
    for host in ("accepted.example", "refused.example", "misleading.example"):
        assert found[host]["observed"]["values"] == SENT
        assert found[host]["observed"]["url"] == f"https://{host}/submit"
        assert found[host]["plan_source"] == "synthesised"


def test_a_submission_whose_world_is_unknown_is_excluded_by_name(replayed: Replayed) -> None:
    payload = submissions_of(replayed[0], "r")["unknown.example"]
    assert payload == {"run": "r", "excluded": "environment unknown"}


def test_the_state_counts_what_the_journal_holds(replayed: Replayed) -> None:
    journal, state = replayed
    assert (state.selected, state.done, state.excluded, state.left) == (7, 6, 1, 0)
    assert (state.agreeing, state.unconfirmed, state.crashed, state.escapes) == (5, 1, 0, 0)
    assert state.finished
    (started,) = payloads_of(journal, "replay.started")
    assert (started["run"], started["worker"], started["selected"]) == ("r", "playwright", 7)
    assert started["timeouts"]["goto_ms"] == 4000
    assert started["browser"]
    (finished,) = payloads_of(journal, "replay.finished")
    assert (finished["done"], finished["excluded"], finished["agreeing"]) == (6, 1, 5)


def test_projections_say_what_was_claimed_and_what_was_observed(replayed: Replayed) -> None:
    with replayed[0].reader() as reader:
        rows = reader.rows(
            "SELECT side, directory, outcome, error_class FROM submissions_now WHERE mode = 'r'"
        )
    said: dict[Any, Any] = {(side, host): (outcome, why) for side, host, outcome, why in rows}
    assert said["candidate", "misleading.example"] == ("submitted", None)
    assert said["observed", "misleading.example"] == ("failed", None)
    assert said["candidate", "captcha.example"] == ("failed", "captcha")
    assert said["candidate", "slow.example"] == ("failed", "timeout")
    assert said["candidate", "refused.example"] == ("failed", "refused")


def test_the_same_seed_gives_the_same_outcomes(replayed: Replayed) -> None:
    journal, _ = replayed
    config = ReplayConfig(run="again", seed=5, limit=4, timeouts=QUICK, concurrency=3)
    replay(journal, config)
    first, again = submissions_of(journal, "r"), submissions_of(journal, "again")
    assert len(again) == 4
    for host, payload in again.items():
        payload["run"] = "r"
        for found in (payload, first[host]):
            found.get("claimed", {}).pop("duration_ms", None)
        assert payload == first[host]
