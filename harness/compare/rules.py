"""Rules as data: what a comparison may absorb, declared, versioned and validated.

Pure: the text of a rules file comes in, a `RuleSet` or one clear error goes out.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.compare.contradictions import contradictions
from harness.compare.kinds import (
    FIELDS,
    FIELDS_OF_KIND,
    KINDS,
    VALUE_FIELDS,
    AddressRule,
    CasefoldRule,
    CeilingRule,
    DateRule,
    ErrorClassRule,
    ExcludeRule,
    HostRule,
    IgnoreRule,
    MapRule,
    NumberRule,
    PhoneRule,
    Rule,
    ToleranceRule,
    UnicodeRule,
    UrlRule,
    WhitespaceRule,
    Words,
)
from harness.errors import SettingsError

__all__ = [
    "FIELDS",
    "FIELDS_OF_KIND",
    "KINDS",
    "VALUE_FIELDS",
    "AddressRule",
    "CasefoldRule",
    "CeilingRule",
    "DateRule",
    "ErrorClassRule",
    "ExcludeRule",
    "HostRule",
    "IgnoreRule",
    "MapRule",
    "NumberRule",
    "PhoneRule",
    "Rule",
    "RuleSet",
    "ToleranceRule",
    "UnicodeRule",
    "UrlRule",
    "WhitespaceRule",
    "parse_rules",
    "refuse_contradictions",
    "refuse_expired",
]

_MENDS = {
    "name": "Give it a name.",
    "author": "Say who answers for the rule.",
    "reason": "Say why the difference is legitimate.",
    "map": "Map at least one word, such as approved to submitted.",
    "absolute": "Write a number above 0.",
    "relative": "Write a share between 0 and 1, such as 0.05.",
    "limit": "Write a number above 0.",
    "version": "Write version = 1.",
    "expires": "Write a date such as 2027-01-31.",
    "since": "Write a time with its zone, such as 2026-11-20T00:00:00Z.",
    "until": "Write a time with its zone, such as 2026-11-20T00:00:00Z.",
    "directory": 'Write a glob such as "*.example", or a list of them.',
    "archetype": 'Write the name of a kind of site and its hosts, such as wizard = "*.example".',
    "candidate_version": 'Write a glob such as "2.*", or a list of them.',
    "to": "Write a class as one lower-case word, such as timeout.",
}


class RuleSet(BaseModel):
    """The rules of one comparison, in the order in which they apply."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    archetype: dict[str, Words] = Field(default={})
    """Kinds of site by name, each with globs over the hosts of its directories."""
    rule: tuple[Rule, ...] = ()

    @property
    def digest(self) -> str:
        """Twelve hex digits that change whenever any rule does."""
        # What is not said does not count, so that a new setting leaves old files as they were.
        said = self.model_dump(mode="json", exclude_none=True)
        if not self.archetype:
            del said["archetype"]
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def digests(self) -> dict[str, str]:
        """By name: twelve hex digits of what each rule does, whoever wrote it and why."""
        said = {"author", "reason", "expires", "expects_at_most"}
        return {
            rule.name: hashlib.sha256(
                json.dumps(
                    rule.model_dump(mode="json", exclude_none=True, exclude=said), sort_keys=True
                ).encode()
            ).hexdigest()[:12]
            for rule in self.rule
        }

    def without(self, name: str) -> RuleSet:
        """The same rules but one."""
        return self.model_copy(update={"rule": tuple(r for r in self.rule if r.name != name)})

    def having(self, rule: Rule) -> RuleSet:
        """The same rules and this one: in the place of its namesake, else at the end."""
        if any(old.name == rule.name for old in self.rule):
            rules = tuple(rule if old.name == rule.name else old for old in self.rule)
        else:
            rules = (*self.rule, rule)
        return self.model_copy(update={"rule": rules})


def parse_rules(text: str, *, origin: str, proposed: bool = False) -> RuleSet:
    """Parse a rules file; SettingsError lists every problem, one line each.

    proposed: the kinds of site that they are about may be declared elsewhere.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{origin}: not valid TOML ({error}). Mend the line it names."
        ) from None
    try:
        rules = RuleSet.model_validate(data)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_invalid(origin, data, item) for item in error.errors())
        ) from None
    refuse_contradictions(rules, origin=origin, proposed=proposed)
    return rules


def refuse_contradictions(rules: RuleSet, *, origin: str, proposed: bool = False) -> None:
    """Raise SettingsError, one line a problem, for rules that are well formed and cannot hold.

    proposed: as for `parse_rules`.
    """
    if problems := contradictions(rules.rule, archetypes=None if proposed else rules.archetype):
        raise SettingsError("\n".join(f"{origin}: {problem}" for problem in problems))


def refuse_expired(rules: RuleSet, *, on: date, origin: str) -> None:
    """Raise SettingsError, one line a rule, where a rule's last day (UTC) was before `on`."""
    lines = [
        f"{origin}: rule {rule.name}: expires = {rule.expires}: it has expired. Ask "
        f"{rule.author} whether it still holds, then set a later date or remove the rule."
        for rule in rules.rule
        if rule.expires and rule.expires < on
    ]
    if lines:
        raise SettingsError("\n".join(lines))


def _invalid(origin: str, data: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """One validation error as: file, rule, key = value, mend."""
    loc: list[int | str] = [part for part in item["loc"] if part != "rule"]
    rule: Any = data
    if loc and isinstance(loc[0], int):
        number = loc[0]
        rule = data["rule"][number]
        name = rule.get("name") if isinstance(rule, Mapping) else None
        origin = f"{origin}: rule {name or f'number {number + 1}'}"
        # Behind the number, pydantic puts the kind into the path.
        loc = loc[2:] if len(loc) > 1 and loc[1] in KINDS else loc[1:]
    key = ".".join(map(str, loc))
    kind = rule.get("kind") if isinstance(rule, Mapping) else None
    if item["type"] == "extra_forbidden":
        return f"{origin}: {key} is not a setting. {_nearest(str(loc[-1]), _known(kind, loc))}"
    if item["type"] == "missing":
        return f"{origin}: {key} is missing. Add it."
    if item["type"] == "union_tag_not_found":
        return f"{origin}: kind is missing. Add one of: {', '.join(KINDS)}."
    if item["type"] == "union_tag_invalid":
        return f"{origin}: kind = {kind!r} is not a kind of rule. {_nearest(str(kind), KINDS)}"
    if item["type"] == "value_error":
        return f"{origin}: {key} = {item['input']!r} {item['ctx']['error']}."
    named = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
    mend = f" {_MENDS[named]}" if named in _MENDS else ""
    return f"{origin}: {key or 'file'} = {item.get('input')!r}: {item['msg']}.{mend}"


def _known(kind: object, loc: list[int | str]) -> list[str]:
    """The settings that may stand where `loc` points."""
    if len(loc) > 1:
        return ["match", "to"]
    model = KINDS.get(kind) if isinstance(kind, str) else None
    return list((model or RuleSet).model_fields)


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(known)}."
