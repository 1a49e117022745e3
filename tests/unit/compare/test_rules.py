"""The rules file: what is refused, and in which words."""

from __future__ import annotations

import pytest

from harness.compare.rules import FIELDS, RuleSet, parse_rules
from harness.errors import SettingsError
from harness.resources import package_text


def _rule(**keys: object) -> str:
    rule = {"name": "one", "kind": "casefold", "field": "values.city", "author": "team",
            "reason": "capitals"} | keys  # fmt: skip
    lines = [f"{key} = {value!r}" for key, value in rule.items() if value is not None]
    return "\n".join(["[[rule]]", *lines, ""]).replace("'", '"')


def _parse(*rules: str, version: int = 1) -> RuleSet:
    return parse_rules("\n".join([f"version = {version}", *rules]), origin="team.toml")


def test_the_shipped_rules_name_their_author_and_reason() -> None:
    rules = parse_rules(package_text("compare/default-rules.toml"), origin="shipped")
    assert len(rules.rule) > 5
    assert all(rule.author and rule.reason and rule.field in FIELDS for rule in rules.rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (_rule(reson="x"), "team.toml: rule one: reson is not a setting. Did you mean reason?"),
        (_rule(reason=None), "rule one: reason is missing"),
        (_rule(kind="casfold"), "kind = 'casfold' is not a kind of rule. Did you mean casefold?"),
        (_rule(kind=None), "rule one: kind is missing. Add one of: map, "),
        (_rule(field="values.cty"), "'values.cty' is not compared. Did you mean values.city?"),
        (_rule(field="colour"), "Use one of: outcome, error"),
        (_rule(name=None), "rule number 1: name is missing"),
        (_rule(author=""), "author = ''"),
        (_rule(kind="ceiling", field="latency_s", limit=0), "limit = 0"),
    ],
)
def test_a_wrong_key_is_named_with_its_mend(rule: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _parse(rule)
    assert words in str(caught.value)


@pytest.mark.parametrize(("kind", "field"), [("error_class", "outcome"), ("ceiling", "values.zip")])
def test_a_rule_that_would_hide_everything_in_a_field_is_refused(kind: str, field: str) -> None:
    limit = {"limit": 5} if kind == "ceiling" else {}
    with pytest.raises(SettingsError, match=f"field = '{field}' has no {kind}"):
        _parse(_rule(kind=kind, field=field, **limit))


def test_a_map_that_changes_its_own_result_is_refused() -> None:
    chain = _rule(kind="map", field="outcome") + 'map = {a = "b", b = "c", d = "d"}\n'
    with pytest.raises(SettingsError, match=r"changes again\. Map a to 'c'"):
        _parse(chain)


def test_two_rules_of_one_name_are_refused_once() -> None:
    with pytest.raises(SettingsError) as caught:
        _parse(_rule(), _rule())
    assert str(caught.value) == "team.toml: 2 rules are named 'one'. Rename all but one."


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        _parse(_rule(reson="x"), _rule(name="two", kind="fone"), version=2)
    assert len(str(caught.value).splitlines()) == 3


def test_text_that_is_not_toml_names_the_line() -> None:
    with pytest.raises(SettingsError, match=r"team\.toml: not valid TOML .*line 1"):
        parse_rules("version = = 1", origin="team.toml")


def test_the_digest_changes_with_any_rule_and_with_nothing_else() -> None:
    one = _parse(_rule())
    assert one.digest == _parse(_rule()).digest
    assert one.digest != _parse(_rule(reason="another")).digest
    assert one.without("one").rule == ()
    assert one.without("absent") == one
