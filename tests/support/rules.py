"""Rules in a few words, for tests that are about what a rule does."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from harness.compare.kinds import FIELDS_OF_KIND, Rule
from harness.compare.rules import RuleSet

_ADAPTER: TypeAdapter[Rule] = TypeAdapter(Rule)


def make_rule(kind: str, **keys: Any) -> Rule:
    """A rule of a kind, for the first field that the kind may have; `keys` override."""
    values = {"name": kind, "author": "Ada Quill", "reason": "as agreed", "kind": kind,
              "field": FIELDS_OF_KIND[kind][0]}  # fmt: skip
    return _ADAPTER.validate_python(values | keys)


def make_rules(*rules: Rule) -> RuleSet:
    """A set of these rules, in this order."""
    return RuleSet(version=1, rule=rules)
