"""Kinds of sites: each fits its own plan, answers as its condition says, and repeats by seed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from harness.model import Order, PlanStep
from replay.sandbox.archetypes import ARCHETYPES, Archetype, Stage
from replay.sandbox.archetypes.flaky import SLOW_S, FlakySite, Trouble, trouble_of
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply, Site
from replay.sandbox.pages import WORDS_OF_SUCCESS
from replay.sandbox.sites import archetype_of, make_site
from tests.support.replays import BUSINESS

HOST = "maple.example"
VALUES = {**BUSINESS, "name": BUSINESS["business_name"]}
# A flaky site fails by seed; it has tests of its own.
GRID = [
    (kind, condition)
    for kind in ARCHETYPES.values()
    for condition in kind.conditions
    if kind.name != "flaky"
]
STORES = {Condition.ACCEPTED, Condition.NEVER_IDLE}


def make_order(kind: Archetype) -> Order:
    return Order(job_id="job", directory=HOST, plan=kind.plan(HOST, VALUES))


def make_own(kind: Archetype, condition: Condition, *, seed: int = 0) -> Site:
    stage = Stage(form=kind.form(), condition=condition, directory=HOST, seed=seed)
    return kind.make(stage)


class _Page(HTMLParser):
    """The fields of a page with their values, and whether something sends them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.frames: list[str] = []
        self.forms = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.forms += tag == "form"
        if tag == "iframe":
            self.frames.append(found["src"])
        if tag in ("input", "select", "textarea") and "name" in found:
            self.values[found["name"]] = found.get("value", "")


def hit(method: str, path: str, *, query: str = "", values: dict[str, str] | None = None) -> Hit:
    return Hit(
        method=method,
        host=HOST,
        path=path,
        query=query,
        content_type="application/x-www-form-urlencoded" if values is not None else "",
        body=urlencode(values or {}).encode(),
    )


def walk(site: Site, order: Order) -> list[Reply | None]:
    """Follow redirects and frames, fill in what the plan fills, and send until nothing is left."""
    path = re.sub(r"^https://[^/]+", "", order.plan[0].url or "")
    typed = {
        re.sub(r".*name='([^']+)'.*", r"\1", step.selector or ""): step.value or ""
        for step in order.plan
        if step.action in ("fill", "select")
    }
    seen = [site.answer(hit("GET", path))]
    for _ in range(6):
        last = seen[-1]
        if last is None or last.status >= 400:
            return seen
        page = _Page(last.body)
        if "Location" in last.headers:
            seen.append(site.answer(hit("GET", path, query=last.headers["Location"].lstrip("?"))))
        elif page.frames:
            seen.append(site.answer(hit("GET", path, query=page.frames[0].lstrip("?"))))
        elif set(page.values) & set(typed):
            values = {name: typed.get(name, value) for name, value in page.values.items()}
            seen.append(site.answer(hit("POST", path, values=values)))
        else:
            return seen
    return seen


@pytest.mark.parametrize(("kind", "condition"), GRID, ids=lambda one: getattr(one, "name", one))
@pytest.mark.parametrize("dressed", [False, True], ids=["own", "of a plan"])
def test_every_site_ends_as_its_condition_says(
    kind: Archetype, condition: Condition, dressed: bool
) -> None:
    order = make_order(kind)
    site = make_site(order, condition, kind) if dressed else make_own(kind, condition)
    seen = walk(site, order)
    stored = sum(reply is not None and reply.accepts for reply in seen)
    moved = kind.name == "moved_selectors"
    assert stored == (condition in STORES and not moved), [r and r.body for r in seen]
    last = seen[-1]
    if condition is Condition.SLOW:
        assert last is None
        return
    assert last is not None
    words = [word for word in WORDS_OF_SUCCESS if word in last.body.lower()]
    if not stored and condition is not Condition.REFUSED_MISLEADING:
        assert words == []
    if not moved:
        assert bool(words) == (stored or condition is Condition.REFUSED_MISLEADING)
    expected = {Condition.FORBIDDEN: 403, Condition.NOT_FOUND: 404}.get(condition, 200)
    assert last.status == expected


def test_a_wall_stands_before_the_form_and_says_what_it_is() -> None:
    words = {"login_wall": "Password", "captcha_wall": "g-recaptcha", "forbidden": "403"}
    for name, word in words.items():
        kind = ARCHETYPES[name]
        last = walk(make_own(kind, kind.conditions[0]), make_order(kind))[-1]
        assert last is not None
        assert word in last.body
        assert 'name="description"' not in last.body


def test_what_is_required_must_be_there() -> None:
    kind = ARCHETYPES["add_business"]
    order = make_order(kind)
    fields = [step.selector or "" for step in order.plan if step.selector]
    complete = {s[s.index("'") + 1 : -2]: "x" for s in fields if "name=" in s}
    for missing in complete:
        site = make_own(kind, Condition.ACCEPTED)
        reply = site.answer(hit("POST", kind.path, values={**complete, missing: " "}))
        assert reply is not None
        assert reply.accepts == (missing == "description")


def test_a_listing_that_comes_twice_is_stored_once() -> None:
    kind = ARCHETYPES["duplicate_listing"]
    site = make_own(kind, Condition.ACCEPTED)
    replies = [site.answer(hit("POST", kind.path, values={"name": n})) for n in "aab"]
    assert [reply is not None and reply.accepts for reply in replies] == [True, False, True]
    assert "already listed" in (replies[1] or Reply(body="")).body


def test_a_step_of_a_wizard_cannot_be_left_out() -> None:
    kind = ARCHETYPES["wizard"]
    site = make_own(kind, Condition.ACCEPTED)
    first = site.answer(hit("GET", kind.path))
    assert first is not None
    token = _Page(first.body).values["_token"]
    for forged in ({}, {"_step": "1", "_token": token}, {"_step": "9", "_token": token}):
        reply = site.answer(hit("POST", kind.path, values={"name": "A", **forged}))
        assert reply is not None
        assert (reply.accepts, reply.status) == (False, 400)


def test_the_last_page_of_a_wizard_sends_all_that_was_entered() -> None:
    kind = ARCHETYPES["wizard"]
    site, sent = make_own(kind, Condition.ACCEPTED), {"name": "A <b>", "email": 'a"b@x.example'}
    for _ in range(2):
        page = site.answer(hit("GET", kind.path))
        assert page is not None
        values = _Page(page.body).values | sent
        following = site.answer(hit("POST", kind.path, values=values))
        assert following is not None
        kept = _Page(following.body).values
        assert {name: kept[name] for name in sent} == sent


def test_the_plan_s_own_clicks_are_the_steps_of_a_wizard() -> None:
    steps = [
        PlanStep(action="goto", url=f"https://{HOST}/add"),
        PlanStep(action="fill", selector="#a", value="1"),
        PlanStep(action="click", selector="button.next"),
        PlanStep(action="fill", selector="#b", value="2"),
        PlanStep(action="click", selector="#send"),
    ]
    order = Order(job_id="j", directory=HOST, plan=tuple(steps))
    site = make_site(order, Condition.ACCEPTED, ARCHETYPES["wizard"])
    page = site.answer(hit("GET", "/add"))
    assert page is not None
    assert "requestSubmit" in page.body
    assert 'id="b"' not in page.body
    page = site.answer(hit("POST", "/add", values=_Page(page.body).values | {"a": "1"}))
    assert page is not None
    assert 'id="b"' in page.body
    assert 'name="a" value="1"' in page.body


def test_moved_selectors_have_nothing_where_the_plan_looks() -> None:
    kind = ARCHETYPES["moved_selectors"]
    page = make_site(make_order(kind), Condition.ACCEPTED, kind).answer(hit("GET", kind.path))
    assert page is not None
    assert not set(_Page(page.body).values) & {field.name for field in kind.fields}


def make_stage(seed: int, attempt: int = 1) -> Stage:
    form = ARCHETYPES["flaky"].form()
    return Stage(form=form, condition=Condition.ACCEPTED, seed=seed, attempt=attempt, job_id="j")


def test_trouble_is_the_same_for_the_same_visit_and_has_its_shares() -> None:
    drawn = [trouble_of(make_stage(seed)) for seed in range(2000)]
    assert drawn == [trouble_of(make_stage(seed)) for seed in range(2000)]
    for trouble, share in ((Trouble.NONE, 0.4), (Trouble.DOWN, 0.2), (Trouble.SLOW, 0.2)):
        # Five standard deviations of a share of 2,000 draws.
        assert abs(drawn.count(trouble) / 2000 - share) < 0.055
    assert len({trouble_of(make_stage(3, attempt)) for attempt in range(40)}) == len(Trouble)


@pytest.mark.parametrize(
    ("trouble", "statuses", "stored"),
    [
        (Trouble.NONE, [200, 200, 200], True),
        (Trouble.FIRST, [503, 200, 200], True),
        (Trouble.DOWN, [503, 503, 503], False),
        (Trouble.SLOW, [200, 200, 200], True),
    ],
)
def test_each_trouble_is_what_it_says(trouble: Trouble, statuses: list[int], stored: bool) -> None:
    site = FlakySite(make_stage(0), trouble)
    replies = [site.answer(hit("GET", "/submit")) for _ in range(2)]
    replies.append(site.answer(hit("POST", "/submit", values={"name": "A"})))
    found = [reply for reply in replies if reply is not None]
    assert [reply.status for reply in found] == statuses
    assert found[-1].accepts == stored
    assert {reply.delay_s for reply in found} == {SLOW_S if trouble is Trouble.SLOW else 0.0}


@pytest.mark.parametrize(
    ("url", "selector", "name"),
    [
        ("/add-business", "input[name='a']", "add_business"),
        ("/add-business.php?x=1", "#a", "add_business"),
        ("/forms", "input[name='entry.123456']", "hosted_form"),
        ("/forms", "form input[name=entry.77]", "hosted_form"),
        ("/submit", "input[name='entry']", None),
        ("/add-businesses", "input[name='name']", None),
        ("/submit", "input[title=\"name='entry.1'\"]", None),
    ],
)
def test_an_archetype_is_read_from_the_plan_only_where_that_tells(
    url: str, selector: str, name: str | None
) -> None:
    steps = (
        PlanStep(action="goto", url=f"https://{HOST}{url}"),
        PlanStep(action="fill", selector=selector, value="1"),
    )
    kind = archetype_of(Order(job_id="j", directory=HOST, plan=steps))
    assert (kind and kind.name) == name
