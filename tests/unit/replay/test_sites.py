"""Sites made from plans: they fit the plan, answer as recorded and betray nothing."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from harness.model import Order, PlanStep
from replay.sandbox.conditions import Condition
from replay.sandbox.selectors import SelectorNotUnderstoodError
from replay.sandbox.sites import WORDS_OF_SUCCESS, Hit, authorities_of, make_site
from replay.sandbox.visit import Observation, Visit
from replay.select import synthesise_plan

HOST = "maple.example"


def make_order(*steps: PlanStep, host: str = HOST) -> Order:
    return Order(job_id="job", directory=host, plan=steps or synthesise_plan(host, {"name": "A"}))


def goto(url: str) -> PlanStep:
    return PlanStep(action="goto", url=url)


def get(path: str = "/submit") -> Hit:
    return Hit(method="GET", host=HOST, path=path, query="", content_type="", body=b"")


def post(values: dict[str, str], path: str = "/submit") -> Hit:
    return Hit(
        method="POST",
        host=HOST,
        path=path,
        query="",
        content_type="application/x-www-form-urlencoded",
        body=urlencode(values).encode(),
    )


def test_the_form_has_the_fields_of_the_plan_where_the_plan_looks() -> None:
    site = make_site(make_order(), Condition.ACCEPTED)
    reply = site.answer(get())
    assert reply is not None
    for part in ('<input name="name">', '<textarea name="description">', '<button type="submit">'):
        assert part in reply.body
    elsewhere = site.answer(get("/other"))
    assert elsewhere is not None
    assert elsewhere.status == 404


@pytest.mark.parametrize("condition", [Condition.REFUSED, Condition.CAPTCHA])
def test_a_plain_refusal_has_no_word_of_success(condition: Condition) -> None:
    reply = make_site(make_order(), condition).answer(post({"name": "Success Ltd, submitted"}))
    assert reply is not None
    assert not reply.accepts
    assert [word for word in WORDS_OF_SUCCESS if word in reply.body.lower()] == []


def test_a_misleading_refusal_has_one_and_accepts_nothing() -> None:
    reply = make_site(make_order(), Condition.REFUSED_MISLEADING).answer(post({"name": "A"}))
    assert reply is not None
    assert not reply.accepts
    assert "success" in reply.body


def test_a_slow_site_never_answers() -> None:
    assert make_site(make_order(), Condition.SLOW).answer(get()) is None


def test_only_a_post_to_an_accepting_form_is_a_listing() -> None:
    site = make_site(make_order(), Condition.ACCEPTED)
    replies = [site.answer(hit) for hit in (get(), post({}), post({}, "/other"))]
    assert [reply is not None and reply.accepts for reply in replies] == [False, True, False]


def test_values_in_the_page_are_escaped() -> None:
    plan = (goto(f"https://{HOST}/"), PlanStep(action="select", selector="#s", value='"><script>'))
    form = make_site(make_order(*plan), Condition.ACCEPTED).form.page()
    assert "<script>" not in form
    assert 'value="&quot;&gt;&lt;script&gt;"' in form


def test_an_address_may_be_percent_encoded() -> None:
    site = make_site(make_order(goto(f"https://{HOST}/add%20a/%C3%BC?x=1")), Condition.ACCEPTED)
    reply = site.answer(get("/add a/ü"))
    assert reply is not None
    assert reply.status == 200


def test_a_form_posts_where_its_selector_says() -> None:
    fill = PlanStep(action="fill", selector="form[action='/save'] input[name='a']", value="1")
    site = make_site(make_order(goto(f"https://{HOST}/add"), fill), Condition.ACCEPTED)
    assert 'action="/save"' in site.form.page()
    reply = site.answer(post({"a": "1"}, "/save"))
    assert reply is not None
    assert reply.accepts


def test_a_form_of_another_site_is_not_guessed() -> None:
    fill = PlanStep(action="fill", selector="form[action='https://x.example/'] input", value="1")
    with pytest.raises(SelectorNotUnderstoodError, match="another site"):
        make_site(make_order(goto(f"https://{HOST}/add"), fill), Condition.ACCEPTED)


def test_a_click_before_the_last_does_not_send_the_form() -> None:
    steps = [
        PlanStep(action="click", selector=s) for s in ("#next", "input[type='checkbox']", "a.go")
    ]
    form = make_site(make_order(goto(f"https://{HOST}/"), *steps), Condition.ACCEPTED).form.page()
    assert '<button id="next" type="button">' in form
    assert '<input type="checkbox">' in form
    assert "requestSubmit" in form.partition('<a class="go"')[2]


@pytest.mark.parametrize("url", ["http://[bad", "https://maple.example:port/", "no scheme", ""])
def test_an_address_that_is_none_does_no_harm(url: str) -> None:
    order = make_order(goto(url))
    make_site(order, Condition.ACCEPTED)
    assert {host for host, _ in authorities_of(order)} <= {HOST, f"www.{HOST}"}


def test_authorities_are_the_directory_and_what_its_plan_visits() -> None:
    order = make_order(goto("http://Forms.maple.example:8080/x"), host="bücher.example")
    found = authorities_of(order)
    assert ("forms.maple.example", 8080) in found
    assert ("xn--bcher-kva.example", 443) in found
    assert ("www.xn--bcher-kva.example", 80) in found
    assert ("other.example", 443) not in found


def test_line_breaks_arrive_as_they_were_typed() -> None:
    hit = post({"text": "a\r\nb", "plus": "1 + 1 %20 &=ü"})
    assert hit.values == {"text": "a\nb", "plus": "1 + 1 %20 &=ü"}


def test_an_observation_keeps_the_listing_not_a_later_refusal() -> None:
    site, seen = make_site(make_order(), Condition.ACCEPTED), Observation()
    for hit in (get(), post({"a": "1"}), post({"a": "2"}, "/other")):
        seen.note(hit, site.answer(hit), scheme="https")
    assert (seen.posts, seen.accepted, seen.values) == (2, 1, {"a": "1"})
    assert seen.url == f"https://{HOST}/submit"


def test_a_visit_allows_its_own_site_only() -> None:
    order = make_order()
    visit = Visit.of(order, make_site(order, Condition.ACCEPTED))
    assert visit.allows("MAPLE.example", 443)
    assert not visit.allows("maple.example", 22)
    assert not visit.allows("maple.example.evil.example", 443)
    assert not Visit.of_nobody().allows("maple.example", 443)
