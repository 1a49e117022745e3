"""Rules as data: what a comparison may absorb, declared, versioned and validated.

Pure: the text of a rules file comes in, a `RuleSet` or one clear error goes out.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SettingsError

VALUE_FIELDS = (
    "name", "email", "phone", "website", "address", "city", "state", "zip", "category",
    "description",
)  # fmt: skip
FIELDS = ("outcome", "error", "latency_s", "values.*", *(f"values.{f}" for f in VALUE_FIELDS))


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    field: str
    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class MapRule(_Rule):
    """Replaces words by their canonical word."""

    kind: Literal["map"]
    map: dict[str, str]


class ErrorClassRule(_Rule):
    """Compares the class of an error instead of its text."""

    kind: Literal["error_class"]


class WhitespaceRule(_Rule):
    """Trims, and folds runs of white space into one blank."""

    kind: Literal["whitespace"]


class CasefoldRule(_Rule):
    """Compares without case."""

    kind: Literal["casefold"]


class PhoneRule(_Rule):
    """Writes a phone number in E.164; text that is no number stays as it is."""

    kind: Literal["phone"]
    region: str = "US"


class UrlRule(_Rule):
    """Drops scheme, ``www.``, host case, default port and a trailing slash."""

    kind: Literal["url"]


class CeilingRule(_Rule):
    """The candidate's number may be anything up to `limit`."""

    kind: Literal["ceiling"]
    limit: float = Field(gt=0)


Rule = Annotated[
    MapRule | ErrorClassRule | WhitespaceRule | CasefoldRule | PhoneRule | UrlRule | CeilingRule,
    Field(discriminator="kind"),
]


_MODELS: dict[str, type[_Rule]] = {
    "map": MapRule,
    "error_class": ErrorClassRule,
    "whitespace": WhitespaceRule,
    "casefold": CasefoldRule,
    "phone": PhoneRule,
    "url": UrlRule,
    "ceiling": CeilingRule,
}
_ONLY_FIELD = {"error_class": "error", "ceiling": "latency_s"}
"""Elsewhere such a rule would find nothing to compare and make everything agree."""


class RuleSet(BaseModel):
    """The rules of one comparison, in the order in which they apply."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    rule: tuple[Rule, ...] = ()

    @property
    def digest(self) -> str:
        """Twelve hex digits that change whenever any rule does."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def without(self, name: str) -> RuleSet:
        """The same rules but one."""
        return self.model_copy(update={"rule": tuple(r for r in self.rule if r.name != name)})


def parse_rules(text: str, *, origin: str) -> RuleSet:
    """Parse a rules file; SettingsError lists every problem, one line each."""
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
    if problems := _contradictions(rules):
        raise SettingsError("\n".join(f"{origin}: {problem}" for problem in problems))
    return rules


def _contradictions(rules: RuleSet) -> list[str]:
    """What is well formed and still cannot be meant."""
    problems = []
    names = [rule.name for rule in rules.rule]
    for rule in rules.rule:
        where = f"rule {rule.name}"
        only = _ONLY_FIELD.get(rule.kind)
        if rule.field not in FIELDS:
            problems.append(
                f"{where}: field = {rule.field!r} is not compared. {_nearest(rule.field, FIELDS)}"
            )
        elif only and rule.field != only:
            problems.append(
                f"{where}: field = {rule.field!r} has no {rule.kind}. Set field = {only!r}."
            )
        if isinstance(rule, MapRule):
            problems += [
                f"{where}: map.{word} = {goal!r}, which the same map changes again. Map {word} to "
                f"{rule.map[goal]!r}."
                for word, goal in rule.map.items()
                if rule.map.get(goal, goal) != goal
            ]
    problems += [
        f"{names.count(name)} rules are named {name!r}. Rename all but one."
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return problems


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
        loc = loc[2:] if len(loc) > 1 and loc[1] in _MODELS else loc[1:]
    key = ".".join(map(str, loc))
    kind = rule.get("kind") if isinstance(rule, Mapping) else None
    if item["type"] == "extra_forbidden":
        known = list(_MODELS[kind].model_fields) if kind in _MODELS else list(RuleSet.model_fields)
        return f"{origin}: {key} is not a setting. {_nearest(key, known)}"
    if item["type"] == "missing":
        return f"{origin}: {key} is missing. Add it."
    if item["type"] == "union_tag_not_found":
        return f"{origin}: kind is missing. Add one of: {', '.join(_MODELS)}."
    if item["type"] == "union_tag_invalid":
        return f"{origin}: kind = {kind!r} is not a kind of rule. {_nearest(str(kind), _MODELS)}"
    return f"{origin}: {key or 'file'} = {item.get('input')!r}: {item['msg']}."


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(known)}."
