"""Marked changes: both texts can always be read out of them, and no character is torn apart."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.marks import graphemes, marked, parts, unmarked

SIGNS = st.text(
    st.sampled_from([*"ab-+[]{}\\ \n\r", "é", "\u0301", "\u200d", "👩", "🏽", "🇩", "🇪", "\ufe0f",
                     "◆", "\u1100", "\u1161", "\u11a8", "한"])
)  # fmt: skip
TEXTS = SIGNS | st.text()


@given(TEXTS, TEXTS)
def test_without_its_marks_a_text_is_both_texts_again(control: str, candidate: str) -> None:
    assert unmarked(marked(control, candidate)) == (control, candidate)
    assert unmarked(marked(control, candidate, never_same="◆")) == (control, candidate)


@given(TEXTS, TEXTS)
def test_the_pieces_of_a_side_are_the_side(control: str, candidate: str) -> None:
    found = parts(control, candidate)
    assert "".join(part.control for part in found) == control
    assert "".join(part.candidate for part in found) == candidate
    assert all(part.control or part.candidate for part in found)


@given(TEXTS, TEXTS)
def test_no_piece_begins_or_ends_inside_a_character(control: str, candidate: str) -> None:
    found = parts(control, candidate)
    assert [g for part in found for g in graphemes(part.control)] == graphemes(control)
    assert [g for part in found for g in graphemes(part.candidate)] == graphemes(candidate)


@given(TEXTS)
def test_the_same_text_has_no_mark(text: str) -> None:
    assert all(part.same for part in parts(text, text))
    assert unmarked(marked(text, text)) == (text, text)


@given(TEXTS)
def test_characters_joined_give_the_text_back(text: str) -> None:
    assert "".join(graphemes(text)) == text


@pytest.mark.parametrize(
    ("control", "candidate", "shown"),
    [
        ("(202) 555-0177", "(202) 555-0142", "(202) 555-01[-77-]{+42+}"),
        ("Albany", "Albany ", "Albany{+ +}"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("cafe\u0301", "cafe", "caf[-e\u0301-]{+e+}"),
        ("👩🏽", "👩", "[-👩🏽-]{+👩+}"),
        ("🇩🇪", "🇩🇰", "[-🇩🇪-]{+🇩🇰+}"),
        ("a[-b-]", "a[-b-]", "a\\[-b\\-]"),
    ],
)
def test_what_changed_is_marked(control: str, candidate: str, shown: str) -> None:
    assert marked(control, candidate) == shown


def test_a_letter_that_is_masked_as_different_never_counts_as_the_same() -> None:
    assert marked("◆•◆", "◆•◆", never_same="◆") == "[-◆-]{+◆+}•[-◆-]{+◆+}"


def test_long_texts_are_marked_in_no_time() -> None:
    one, other = "ab" * 40_000, "ba" * 40_000
    began = time.perf_counter()
    found = parts("same " + one + " end", "same " + other + " end")
    assert time.perf_counter() - began < 2.0
    assert found[0].control.startswith("same ")
