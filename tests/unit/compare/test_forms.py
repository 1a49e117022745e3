"""What is done to many values at once is what the rule's function does to each."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.compare.forms import normalised
from harness.compare.kinds import Rule
from harness.compare.normalise import normaliser
from tests.support.rules import make_rule

KINDS = ("casefold", "whitespace", "unicode", "url", "host", "phone", "number", "address")
PARTS = (
    "www.", "WWW.", "http://", "HTTPS://", "ftp://", "//", "maple", "Maple", ".example", ".test",
    "/", "/Shop", "//x", ":80", ":8080", "?q=1", "#a", "@", "_", "-", "~", "~a", "é", "İ", "\u0130",
    " ", "  ", "\t", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u2003",
    "202", "555", "0142", "(202)", "(202", "+1", "+", "1", ".", "x9", "0", "44", "911",
)  # fmt: skip
texts = st.one_of(st.text(max_size=10), st.lists(st.sampled_from(PARTS), max_size=7).map("".join))


def one_by_one(rule: Rule, values: list[str | None]) -> list[str | None]:
    function = normaliser(rule)
    assert function is not None
    return [None if value is None else function(value) for value in values]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@example(values=["https://WWW.Maple.example/Shop/", "www.www.maple.example", "maple.example//"])
@example(values=["(202) 555-0142", "+1 202.555.0142", "202-555-01427", "1 202 555 0142", None])
@example(values=["\x1cA\x1f B\xa0", "İ", "ß", "", None])
@given(values=st.lists(st.one_of(st.none(), texts), max_size=8))
def test_many_values_at_once_are_one_by_one(kind: str, values: list[str | None]) -> None:
    rule = make_rule(kind)
    found = normalised(rule, pl.Series("value", values, pl.String))
    assert found.to_list() == one_by_one(rule, values)


def test_numbers_as_they_are_dialled_are_as_the_library_writes_them() -> None:
    chance = random.Random(20261120)
    values: list[str | None] = []
    for _ in range(3000):
        area, office, line = (
            "".join(chance.choices("0123456789", k=k))
            for k in (3, 3, chance.choice((3, 4, 4, 4, 5, 8)))
        )
        area = chance.choice((area, area, f"({area})"))
        marks = [chance.choice(("", "", " ", "-", ".")) for _ in range(3)]
        prefix = chance.choice(("", "", "+1", "1", "+44"))
        values.append(
            f"{prefix}{marks[0] if prefix else ''}{area}{marks[1]}{office}{marks[2]}{line}"
        )
    for region in ("US", "GB"):
        rule = make_rule("phone", region=region)
        assert normalised(rule, pl.Series(values)).to_list() == one_by_one(rule, values)
