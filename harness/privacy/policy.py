"""Says what a redacted trace shows of each field. Pure: the text of a policy comes in.

What no rule names is unknown: it is dropped and counted, so that a column that production gains
tomorrow is in no trace before somebody has thought about it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from harness.model import EventKind

ANY = "*"
ANY_NUMBER = "**"


class Action(StrEnum):
    """What happens to a value, the strictest first."""

    DROP = "drop"
    """It is left out."""
    HASH = "hash"
    """A name that says nothing and is the same every time."""
    FAKE = "fake"
    """Another value of the same kind and shape."""
    WORDS = "words"
    """Technical words, numbers and times stay; every other word is faked."""
    KEEP = "keep"
    """It stays; personal values known from elsewhere are still taken out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One path and what happens to everything at or below it."""

    table: str
    path: tuple[str, ...]
    action: Action
    ours: bool = False
    """Said in the settings; such a rule wins over the shipped ones."""

    @property
    def weight(self) -> tuple[object, ...]:
        """Of the rules that fit a field, the one with the greatest weight counts."""
        exact = sum(part not in (ANY, ANY_NUMBER) for part in self.path)
        strict = -list(Action).index(self.action)
        return self.ours, exact, ANY not in self.table, ANY_NUMBER not in self.path, strict


@dataclass(frozen=True, kw_only=True)
class Policy:
    """All rules. `action` remembers its answers."""

    rules: tuple[Rule, ...]
    _known: dict[tuple[str, tuple[str, ...]], Action | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that rules are written with; they are a schema's, not a person's."""
        return frozenset(part for rule in self.rules for part in rule.path)

    @property
    def digest(self) -> str:
        """Twelve hex digits that name these rules."""
        rules = sorted((r.table, ".".join(r.path), r.action, r.ours) for r in self.rules)
        return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:12]

    def action(self, table: str, path: tuple[str, ...]) -> Action | None:
        """What happens to the value at `path` of a row of `table`; None if no rule knows it."""
        key = table, path
        if key not in self._known:
            if len(self._known) > 50_000:
                self._known.clear()
            fitting = [rule for rule in self.rules if _fits(rule, table, path)]
            best = max(fitting, key=lambda rule: rule.weight, default=None)
            self._known[key] = best.action if best else None
        return self._known[key]


def parse_policy(text: str) -> Policy:
    """Read a policy file; ValueError if it is malformed (it is shipped, so that is a bug)."""
    data: dict[str, dict[str, list[str]]] = tomllib.loads(text)
    business = data.pop("business")
    rules: list[Rule] = []
    for table, section in data.items():
        for container in section.pop("business", []):
            prefix = _parts(container) if container else ()
            rules += [
                Rule(table=table, path=(*prefix, name), action=Action(action))
                for action, names in business.items()
                for name in names
            ]
        rules += [
            Rule(table=table, path=_parts(path), action=Action(action))
            for action, paths in section.items()
            for path in paths
        ]
    return Policy(rules=tuple(rules))


def with_rules(policy: Policy, chosen: Mapping[Action, Iterable[str]]) -> Policy:
    """The policy with rules of the user's own, which win. chosen: paths such as ``jobs.email``."""
    own = tuple(
        Rule(table=table, path=path, action=action, ours=True)
        for action, paths in chosen.items()
        for table, path in map(parse_path, paths)
    )
    return Policy(rules=(*policy.rules, *own))


def parse_path(text: str) -> tuple[str, tuple[str, ...]]:
    """Table and path of ``table.column.key``; the table may be ``*``, lists may be marked ``[]``.

    Raises ValueError, worded to follow the path, if it names no kind of event or no field.
    """
    kinds = [kind.value for kind in EventKind]
    table = next((k for k in sorted(kinds, key=len)[::-1] if text.startswith(f"{k}.")), None)
    if table is None:
        table = text.partition(".")[0]
        if table == ANY_NUMBER:
            return ANY, _parts(text)
        if table != ANY:
            close = difflib.get_close_matches(table, kinds, n=1, cutoff=0.5)
            meant = f"; did you mean {close[0]}{text[len(table) :]}?" if close else "."
            raise ValueError(
                f"is no path of a recorded table{meant} Write table.column, or *.column for every "
                "table"
            )
    path = _parts(text[len(table) + 1 :])
    if not all(path):
        raise ValueError("names no field. Write table.column")
    return table, path


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.replace("[]", "").split("."))


def _fits(rule: Rule, table: str, path: tuple[str, ...]) -> bool:
    return fnmatchcase(table, rule.table) and _begins(rule.path, path)


def _begins(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether `pattern` is `path` or something that `path` lies below."""
    if not pattern:
        return True
    first, rest = pattern[0], pattern[1:]
    if first == ANY_NUMBER:
        return any(_begins(rest, path[skip:]) for skip in range(len(path) + 1))
    return bool(path) and first in (ANY, path[0]) and _begins(rest, path[1:])


def shown(policy: Policy) -> dict[str, Any]:
    """The user's own rules by action, as a manifest tells them."""
    own: dict[str, list[str]] = {}
    for rule in policy.rules:
        if rule.ours:
            everywhere = rule.table == ANY and rule.path[0] == ANY_NUMBER
            parts = rule.path if everywhere else (rule.table, *rule.path)
            own.setdefault(rule.action.value, []).append(".".join(parts))
    return own
