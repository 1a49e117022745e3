"""What a machine tells arrives as it was: the events of it are those of a local run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Claim, EventDraft, Order, Outcome, PlanStep
from replay import events
from replay.collector.wire import (
    Opening,
    Report,
    Result,
    Unit,
    UnreadableError,
    decode,
    encode,
)
from replay.events import Ended
from replay.sandbox.conditions import Condition
from replay.sandbox.visit import Escape, Observation, Post, Visit
from replay.select import Replayable
from replay.submission import Finished
from tests.support.units import SECRET, make_replayable, make_result, make_terms

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MAYBE = st.none() | TEXTS
NUMBERS = st.floats(0, 1e9, allow_nan=False)
VALUES = st.dictionaries(TEXTS, TEXTS, max_size=3)
STEPS = st.builds(
    PlanStep,
    action=TEXTS, url=MAYBE, selector=MAYBE, value=MAYBE, until=MAYBE, seconds=st.none() | NUMBERS,
)  # fmt: skip
ORDERS = st.builds(
    Order,
    job_id=TEXTS, directory=TEXTS, plan=st.lists(STEPS, max_size=3).map(tuple),
    business=VALUES, plan_source=st.sampled_from(["recorded", "synthesised"]),
)  # fmt: skip
REPLAYABLES = st.builds(Replayable, order=ORDERS, condition=st.sampled_from(Condition))
CLAIMS = st.builds(
    Claim,
    status=st.sampled_from(Outcome), duration_ms=NUMBERS, error_text=MAYBE, error_step=MAYBE,
    final_url=MAYBE, steps_done=st.integers(0, 99),
)  # fmt: skip
POSTS = st.builds(Post, url=TEXTS, values=VALUES, accepted=st.booleans())
OBSERVATIONS = st.builds(
    Observation,
    posts=st.integers(0, 9), accepted=st.integers(0, 9), values=VALUES, url=MAYBE,
    received=st.lists(POSTS, max_size=3),
)  # fmt: skip
ESCAPES = st.builds(
    Escape, job_id=MAYBE, directory=MAYBE, kind=TEXTS, url=TEXTS, layer=MAYBE, step=MAYBE
)


@st.composite
def finished(draw: st.DrawFn) -> Finished:
    of = draw(REPLAYABLES)
    visit = Visit(
        job_id=of.order.job_id,
        directory=of.order.directory,
        authorities=frozenset({("a.example", 443)}),
        site=None,
        observation=draw(OBSERVATIONS),
        escapes=draw(st.lists(ESCAPES, max_size=3)),
    )
    return Finished(
        of=of,
        visit=visit,
        claim=draw(CLAIMS),
        crashed=draw(st.booleans()),
        overloaded=draw(st.booleans()),
    )


def told(drafts: list[EventDraft]) -> list[tuple[Any, ...]]:
    """What an event says, but for the moment at which it was made."""
    return [(d.kind, d.key, d.job_id, d.directory, json.dumps(d.payload)) for d in drafts]


def events_of(done: Finished) -> list[tuple[Any, ...]]:
    return told(
        [
            events.submission("r", done),
            *events.received("r", done),
            *events.escapes("r", done.visit.escapes),
        ]
    )


@given(finished())
def test_a_result_from_elsewhere_makes_the_events_of_a_local_one(done: Finished) -> None:
    before, counted = events_of(done), Ended.of_finished(done)
    body = encode(Report(unit="u-1", results=(Result.of(done),)))
    (result,) = decode(Report, body).results
    assert result.key == done.of.key
    arrived = result.finished(done.of)
    assert events_of(arrived) == before
    assert Ended.of_finished(arrived) == counted


@given(st.lists(REPLAYABLES, max_size=3), st.lists(ESCAPES, max_size=2))
def test_orders_and_escapes_arrive_as_they_were(
    orders: list[Replayable], escapes: list[Escape]
) -> None:
    unit = Unit(unit="u-1", terms=make_terms(), submissions=tuple(orders))
    assert decode(Unit, encode(unit)) == unit
    report = Report(unit="u-1", escapes=tuple(escapes), in_hand=(("a", "b"),), facts={"x": [1]})
    assert decode(Report, encode(report)) == report


def test_half_a_character_in_a_workers_text_does_not_lose_the_result() -> None:
    of = make_replayable()
    visit = Visit(job_id="j", directory="d", authorities=frozenset(), site=None)
    claim = Claim(status=Outcome.FAILED, duration_ms=1, error_text="a\ud800b")
    result = Result.of(Finished(of=of, visit=visit, claim=claim))
    (arrived,) = decode(Report, encode(Report(unit="u", results=(result,)))).results
    assert arrived.claim.error_text == "a?b"


@pytest.mark.parametrize(
    ("kind", "body", "where"),
    [
        (Opening, b"", "the whole"),
        (Opening, b"[]", "the whole"),
        (Opening, b'{"unit": 1, "machine": "m", "version": "v"}', "unit"),
        (Report, b'{"unit": "u", "results": [{"job_id": "j"}]}', "results.0.directory"),
    ],
)
def test_what_is_no_message_is_refused_by_the_name_of_the_field(
    kind: type[Any], body: bytes, where: str
) -> None:
    with pytest.raises(UnreadableError, match=where):
        decode(kind, body)


def test_a_refused_message_is_not_quoted() -> None:
    body = encode(Report(unit="u", results=(make_result(make_replayable(), text=SECRET),)))
    with pytest.raises(UnreadableError) as refused:
        decode(Report, body.replace(b'"failed"', b'"owner@ahorn.example"'))
    assert SECRET not in str(refused.value)
