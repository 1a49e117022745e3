"""The filter line: what it asks for, what it does not understand, and how it is completed."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tui.filtering import NAMES, Term, complete, parse_filter

VALUES = {
    "kind": ["captcha", "missing_candidate", "timeout"],
    "directory": ["maple-listings.example", "maplebook.example"],
    "label": ["none"],
}


def test_words_names_and_minus() -> None:
    wanted = parse_filter("  Captcha dir:Maple -mode:live since:2h ")
    assert wanted.terms == (
        Term(None, "captcha"), Term("dir", "maple"), Term("mode", "live", negated=True),
        Term("since", "2h"),
    )  # fmt: skip
    assert wanted.since_s == {"2h": 7200.0}
    assert wanted.problems == ()


def test_an_unfinished_name_asks_for_nothing() -> None:
    assert parse_filter("kind: -since:").terms == ()
    assert parse_filter("-").terms == (Term(None, "-"),)


def test_what_is_not_understood_is_said_and_the_rest_counts() -> None:
    wanted = parse_filter("colour:red since:soon captcha")
    assert wanted.terms == (Term(None, "colour:red"), Term(None, "captcha"))
    assert [words.partition(" ")[0] for words in wanted.problems] == ["colour:", "since:soon"]


def test_addresses_and_times_are_plain_text() -> None:
    assert parse_filter("08:30").problems == ()


@given(st.text(alphabet=string.printable, max_size=40))
def test_no_text_is_refused(text: str) -> None:
    wanted = parse_filter(text)
    assert len(wanted.terms) <= len(text.split())
    assert all(term.wanted for term in wanted.terms)
    assert all(term.name is None or term.name in NAMES for term in wanted.terms)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("ki", "kind:"),
        ("kind:mi", "kind:missing_candidate"),
        ("captcha -kind:t", "captcha -kind:timeout"),
        ("dir:maple", "dir:maple-listings.example"),
        ("DIR:maplB", None),
        ("since:2", "since:2h"),
        ("label:", "label:none"),
        ("kind:captcha", None),
        ("captcha ", None),
        ("", None),
        ("job:1", None),
    ],
)
def test_the_last_word_is_completed(typed: str, completed: str | None) -> None:
    assert complete(typed, VALUES) == completed


@given(st.text(alphabet="abcdefghijklmnoprs:-_ ", max_size=20))
def test_a_completion_only_adds(typed: str) -> None:
    completed = complete(typed, VALUES)
    assert completed is None or (completed.startswith(typed) and len(completed) > len(typed))
