"""Every post that a site received is an event with its values, and is told once."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from harness.model import Order
from replay.run import ReplayConfig, replay
from replay.sandbox.sites import Hit, Reply
from replay.sandbox.visit import MOST_POSTS, Visit
from tests.support.replays import QUICK, SENT, accepted, make_journal, payloads_of


class Hasty:
    """Refuses what was posted before anybody has typed, and stores the rest."""

    def answer(self, hit: Hit) -> Reply:
        stored = hit.values.get("name") != "before"
        return Reply(body="Thank you", accepts=stored)


def test_what_a_site_received_is_told_post_by_post(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(2))
    replay(journal, ReplayConfig(run="r", timeouts=QUICK))
    posts = payloads_of(journal, "replay.received")
    assert [(post["number"], post["accepted"], post["values"]) for post in posts] == [
        (1, True, SENT)
    ] * 2
    assert {post["url"] for post in posts} == {f"https://site-{n}.example/submit" for n in range(2)}
    # A finished run that is continued tells none of them again.
    replay(journal, ReplayConfig(run="r", timeouts=QUICK))
    assert len(payloads_of(journal, "replay.received")) == 2


def test_a_refused_post_is_told_too_and_in_its_order() -> None:
    order = Order(job_id="j", directory="elm.example", plan=())
    visit = Visit.of(order, Hasty())
    for number in range(MOST_POSTS + 7):
        name = "before" if number % 2 == 0 else f"Elm {number}"
        hit = Hit(
            method="POST", host="elm.example", path="/submit", query="",
            content_type="application/x-www-form-urlencoded",
            body=urlencode({"name": name}).encode(),
        )  # fmt: skip
        visit.observation.note(hit, Hasty().answer(hit), scheme="https")
    seen = visit.observation
    assert (seen.posts, len(seen.received)) == (MOST_POSTS + 7, MOST_POSTS)
    assert [post.accepted for post in seen.received[:4]] == [False, True, False, True]
    assert [post.values for post in seen.received[:2]] == [{"name": "before"}, {"name": "Elm 1"}]
