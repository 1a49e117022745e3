"""The world that the record shows."""

from __future__ import annotations

import pytest

from harness.model import ErrorClass, Outcome
from replay.sandbox.conditions import Condition, Word, condition_of

SUBMITTED = Word(outcome=Outcome.SUBMITTED)


def failed(why: ErrorClass | None) -> Word:
    return Word(outcome=Outcome.FAILED, error_class=why)


@pytest.mark.parametrize(
    ("word", "condition"),
    [
        (SUBMITTED, Condition.ACCEPTED),
        (failed(ErrorClass.REFUSED), Condition.REFUSED),
        (failed(ErrorClass.CAPTCHA), Condition.CAPTCHA),
        (failed(ErrorClass.TIMEOUT), Condition.SLOW),
        (failed(ErrorClass.NAVIGATION), Condition.SLOW),
        (failed(ErrorClass.SELECTOR_MISSING), None),
        (failed(ErrorClass.CONFIG), None),
        (failed(ErrorClass.CRASH), None),
        (failed(ErrorClass.UNKNOWN), None),
        (failed(None), None),
        (Word(outcome=Outcome.IN_FLIGHT), None),
        (Word(outcome=Outcome.SKIPPED), None),
        (Word(outcome=Outcome.MISSING), None),
    ],
)
def test_the_control_s_word_tells_the_world(word: Word, condition: Condition | None) -> None:
    assert condition_of([word], None) is condition


def test_rows_of_one_host_must_agree() -> None:
    assert condition_of([SUBMITTED, SUBMITTED], None) is Condition.ACCEPTED
    assert condition_of([SUBMITTED, failed(ErrorClass.REFUSED)], None) is None
    assert condition_of([SUBMITTED, Word(outcome=Outcome.IN_FLIGHT)], None) is None
    assert condition_of([], None) is None


def test_a_candidate_that_saw_success_in_a_refusal_saw_misleading_words() -> None:
    refused = [failed(ErrorClass.REFUSED)]
    assert condition_of(refused, SUBMITTED) is Condition.REFUSED_MISLEADING
    assert condition_of(refused, failed(ErrorClass.REFUSED)) is Condition.REFUSED
    assert condition_of([failed(ErrorClass.CAPTCHA)], SUBMITTED) is Condition.CAPTCHA
    assert condition_of([SUBMITTED], failed(ErrorClass.TIMEOUT)) is Condition.ACCEPTED


@pytest.mark.parametrize(
    ("why", "text", "condition"),
    [
        (ErrorClass.NAVIGATION, "Playwright error: server answered 403", Condition.FORBIDDEN),
        (ErrorClass.NAVIGATION, "page.goto: HTTP 404", Condition.NOT_FOUND),
        (ErrorClass.NAVIGATION, "net::ERR_ABORTED at https://x.example/404", Condition.SLOW),
        (ErrorClass.NAVIGATION, "net::ERR_NAME_NOT_RESOLVED", Condition.SLOW),
        (ErrorClass.UNKNOWN, "Login required", Condition.LOGIN),
        (ErrorClass.UNKNOWN, "redirected to login", Condition.LOGIN),
        (ErrorClass.UNKNOWN, "waiting for locator('text=Login required')", None),
        (ErrorClass.UNKNOWN, "Login required (403)", None),
        (ErrorClass.UNKNOWN, "This business is already listed.", Condition.DUPLICATE),
        (ErrorClass.UNKNOWN, "Please verify your e-mail", Condition.VERIFICATION),
        (ErrorClass.UNKNOWN, "something else", None),
        (ErrorClass.REFUSED, "rejected: duplicate listing", Condition.DUPLICATE),
        (ErrorClass.REFUSED, "AI predicted submission failed.", Condition.REFUSED),
        (ErrorClass.TIMEOUT, "Timeout 30000ms exceeded, login required", Condition.SLOW),
    ],
)
def test_a_text_that_says_one_thing_in_so_many_words_tells_more(
    why: ErrorClass, text: str, condition: Condition | None
) -> None:
    word = Word(outcome=Outcome.FAILED, error_class=why, error_text=text)
    assert condition_of([word], None) is condition
