"""What a replay reads in a control's words is still there when they are redacted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import ErrorClass, Outcome
from harness.privacy.messages import redact_message
from replay.sandbox.conditions import Condition, Word, condition_of

SIGNS = (
    "403", "Forbidden", "404", "already listed", "Already exists", "already registered",
    "duplicate listing", "Duplicate entry", "Log in required", "log-in is required",
    "sign in required", "Authentication required", "redirected to a login", "redirected to log in",
    "email verification", "e-mail verification", "verify your email", "Check your inbox",
    "waiting for locator", "selector", "https://maple.example/login",
)  # fmt: skip
WORDS = st.sampled_from(["Ahorn", "Söhne", "maple.example", "the", "page", "said", "4711", "list"])
SAID = st.lists(st.sampled_from(SIGNS) | WORDS, min_size=1, max_size=6).map(" ".join)


def told(text: str) -> Condition | None:
    word = Word(outcome=Outcome.FAILED, error_class=ErrorClass.UNKNOWN, error_text=text)
    return condition_of([word], None)


def other(word: str) -> str:
    """Other letters in place of those of a word."""
    return "".join("7" if sign.isdigit() else "q" for sign in word)


@given(text=SAID)
def test_the_condition_is_the_same(text: str) -> None:
    assert told(redact_message(text, other)) is told(text)


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if told(sign) is not None])
def test_each_sign_outlives_what_stands_beside_it(sign: str) -> None:
    text = f"Ahorn & Söhne: {sign} (4711)"
    redacted = redact_message(text, other)
    assert "Ahorn" not in redacted
    assert told(redacted) is told(text) is not None
