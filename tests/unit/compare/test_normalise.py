"""What a rule does to one value: it absorbs ways of writing and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.compare.normalise import fold_space, normaliser, phone, url
from harness.compare.rules import CasefoldRule, CeilingRule, MapRule, parse_rules
from harness.resources import package_text

SHIPPED = parse_rules(package_text("compare/default-rules.toml"), origin="shipped")
ADDRESS_PARTS = (
    "http://", "HTTPS://", "//", "www.", "WWW.", "Acme", ".test", ":80", ":443", ":8080", "/", "?",
    "?q=1", "#a", "#", "@", "desk@", " ", "[::1]", "x", "É", ".", ":",
)  # fmt: skip
addresses = st.lists(st.sampled_from(ADDRESS_PARTS), max_size=9).map("".join)
phones = st.text("0123456789+-() .xext;=#A", max_size=18)


@example(value="http://http://acme.test")
@example(value="www.www.acme.test/ /")
@given(value=st.one_of(st.text(max_size=15), addresses, phones))
def test_normalising_twice_is_normalising_once(value: str) -> None:
    for rule in SHIPPED.rule:
        function = normaliser(rule)
        if function is not None:
            once = function(value)
            assert function(once) == once, rule.name


@pytest.mark.parametrize(
    "written",
    ["(202) 555-0142", "202-555-0142", "202.555.0142", "+1 202 555 0142", "1 (202) 555 0142",
     " 2025550142 "],
)  # fmt: skip
def test_one_phone_number_has_one_normal_form(written: str) -> None:
    assert phone(written, "US") == "+12025550142"


@pytest.mark.parametrize("other", ["202-555-0143", "212-555-0142", "202-555-0142 ext. 7"])
def test_another_phone_number_stays_another(other: str) -> None:
    assert phone(other, "US") != phone("202-555-0142", "US")


def test_two_extensions_of_one_number_are_two_phones() -> None:
    assert phone("202-555-0142 x7", "US") != phone("202-555-0142 x8", "US")
    assert phone("202-555-0142 x7", "US") == phone("(202) 555-0142 ext. 7", "US")


@pytest.mark.parametrize("value", ["", "call the desk", "12", "202-555-0142-99-11-22-33-44"])
def test_what_is_no_phone_number_stays_as_it_is(value: str) -> None:
    assert phone(value, "US") == value


@pytest.mark.parametrize(
    "written",
    ["http://acme.test/a", "https://www.acme.test/a/", "WWW.ACME.TEST/a", "acme.test:443/a",
     " //acme.test/a ", "http://www.acme.test:80/a//"],
)  # fmt: skip
def test_one_address_has_one_normal_form(written: str) -> None:
    assert url(written) == "acme.test/a"


@pytest.mark.parametrize(
    "other",
    ["acme.test/b", "acme.test/A", "shop.acme.test/a", "acme.test:8080/a", "acme.test/a?page=2",
     "acme.test/a#team", "acme.example/a", "desk@acme.test/a"],
)  # fmt: skip
def test_another_address_stays_another(other: str) -> None:
    assert url(other) != url("https://www.acme.test/a")


@pytest.mark.parametrize("value", ["", "/", "http://", "//:x", "http://[::1", "http://[::1]/a"])
def test_what_is_no_address_stays_as_it_is(value: str) -> None:
    assert url(value) == value


def test_white_space_of_every_kind_folds() -> None:
    assert fold_space("\t Maple \u00a0\n Joinery ") == "Maple Joinery"


def test_a_map_changes_only_its_own_words() -> None:
    rule = MapRule(
        kind="map", name="n", field="outcome", author="a", reason="r", map={"approved": "submitted"}
    )
    function = normaliser(rule)
    assert function is not None
    assert [function(word) for word in ("approved", "Approved", "failed")] == [
        "submitted", "Approved", "failed",
    ]  # fmt: skip


def test_a_ceiling_does_not_work_value_by_value() -> None:
    base = {"name": "n", "author": "a", "reason": "r"}
    assert normaliser(CeilingRule(kind="ceiling", field="latency_s", limit=1.0, **base)) is None
    assert normaliser(CasefoldRule(kind="casefold", field="values.city", **base)) is str.casefold
