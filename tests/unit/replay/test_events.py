"""Events of escapes: one for each way, counted, and the same keys when it happens again."""

from __future__ import annotations

from dataclasses import replace

from replay.events import escapes
from replay.sandbox.visit import Escape


def attempt(kind: str = "fetch", url: str = "https://x.example/") -> Escape:
    return Escape(job_id="job", directory="maple.example", kind=kind, url=url)


def test_the_same_attempt_many_times_is_one_event_with_its_number() -> None:
    found = list(escapes("r", [attempt(), attempt("image"), attempt(), attempt()]))
    assert [(event.payload["kind"], event.payload["count"]) for event in found] == [
        ("fetch", 3),
        ("image", 1),
    ]
    assert {event.source for event in found} == {"replay:r"}


def test_a_repeated_run_makes_the_same_keys_and_another_run_others() -> None:
    tried = [attempt(), attempt("image")]
    keys = [event.key for event in escapes("r", tried)]
    assert [event.key for event in escapes("r", tried)] == keys
    assert not {event.key for event in escapes("s", tried)} & set(keys)
    assert len(set(keys)) == 2


def test_a_page_that_never_stops_trying_makes_a_bounded_number_of_events() -> None:
    tried = [attempt(url=f"https://x.example/{n}") for n in range(5000)]
    found = list(escapes("r", tried))
    assert len(found) == 100
    assert sum(event.payload["count"] for event in found) == 5000


def test_nothing_tried_is_no_event() -> None:
    assert list(escapes("r", [])) == []


def test_step_and_layer_are_told_but_do_not_make_another_attempt() -> None:
    """A submission that is done again may be a step further when the same thing is tried."""
    first = replace(attempt(), step="1: goto https://maple.example/", layer="routes")
    again = replace(attempt(), step="2: wait", layer="proxy")
    event, other = escapes("r", [first, attempt("image"), again])
    assert event.payload["step"] == "1: goto https://maple.example/"
    assert (event.payload["layer"], event.payload["count"]) == ("routes", 2)
    assert (other.payload["step"], other.payload["layer"]) == (None, None)
    assert event.key == next(escapes("r", [again])).key
