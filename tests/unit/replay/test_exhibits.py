"""Sites as a person is shown them."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.model import Order
from replay.sandbox.archetypes import ARCHETYPES
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit
from replay.sandbox.exhibits import (
    KEPT_POSTS,
    Exhibition,
    exhibit_of,
    exhibits_of,
    index_page,
    received_page,
)
from replay.select import synthesise_plan


def make_hit(method: str, body: bytes = b"") -> Hit:
    kind = "application/x-www-form-urlencoded"
    return Hit(method=method, host="h", path="/submit", query="", content_type=kind, body=body)


def test_every_archetype_in_every_condition_has_a_name_that_a_host_may_have() -> None:
    exhibits = exhibits_of(ARCHETYPES.values(), seed=0)
    assert len(exhibits) == sum(len(kind.conditions) for kind in ARCHETYPES.values())
    keys = [exhibit.key for exhibit in exhibits]
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])", key)
    page = index_page(Exhibition(exhibits), {key: f"/to/{key}" for key in keys})
    for exhibit in exhibits:
        assert f'href="/to/{exhibit.key}"' in page
        assert exhibit.group.partition(":")[0] in page


def test_a_new_visit_meets_a_site_that_has_forgotten_the_last() -> None:
    exhibition = Exhibition(exhibits_of([ARCHETYPES["duplicate_listing"]], seed=0))
    key = "duplicate-listing--accepted"

    def send() -> bool:
        reply = exhibition.answer(key, make_hit("POST", b"name=A"), at="now", url="u")
        return reply is not None and reply.accepts

    assert [send(), send()] == [True, False]
    exhibition.visit(key)
    assert send()
    assert [post.accepted for post in exhibition.received] == [True, False, True]


def test_visits_to_a_flaky_site_differ_and_repeat_by_seed() -> None:
    def statuses(seed: int) -> list[int]:
        exhibition = Exhibition(exhibits_of([ARCHETYPES["flaky"]], seed=seed))
        found = []
        for _ in range(12):
            exhibition.visit("flaky--accepted")
            reply = exhibition.answer("flaky--accepted", make_hit("GET"), at="", url="")
            assert reply is not None
            found.append(reply.status)
        return found

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {200, 503}
    assert len({tuple(statuses(seed)) for seed in range(5)}) > 1


def test_what_was_received_is_escaped_and_bounded() -> None:
    exhibition = Exhibition(exhibits_of([ARCHETYPES["minimal"]], seed=0))
    assert "Nothing yet" in received_page(exhibition)
    for _ in range(KEPT_POSTS + 5):
        hit = make_hit("POST", b"name=%3Cscript%3E&url=1")
        exhibition.answer("minimal--accepted", hit, at="12:00", url="http://<b>")
    page = received_page(exhibition)
    assert "<script>" not in page
    assert "name = &lt;script&gt;" in page
    assert "http://<b>" not in page
    assert page.count("not stored") == 0
    assert page.count("<tr>") == KEPT_POSTS + 1


def test_a_recorded_submission_is_shown_with_its_plan() -> None:
    plan = synthesise_plan("maple.example", {"name": "A & B"})
    order = Order(job_id="11112222-3333", directory="maple.example", plan=plan)
    exhibit = exhibit_of(order, Condition.REFUSED, seed=0)
    assert (exhibit.key, exhibit.path) == ("maple-example--11112222", "/submit")
    hosts = [f"{'long-' * 8}{n}.example" for n in "ab"] + ["a-b.example", "a.b.example", "bücher"]
    keys = {
        exhibit_of(replace(order, directory=host), Condition.REFUSED, seed=0).key for host in hosts
    }
    assert len(keys) == len(hosts)
    for key in keys:
        assert re.fullmatch(r"[a-z0-9-]{1,63}", key)
    page = index_page(Exhibition([exhibit]), {exhibit.key: "/x"})
    assert "fill input[name=&#x27;name&#x27;] A &amp; B" in page
    reply = exhibit.make(1).answer(make_hit("POST", b"name=A"))
    assert reply is not None
    assert not reply.accepts
