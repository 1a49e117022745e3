"""Rules as data: what a comparison may absorb, declared, versioned and validated.

Pure: the text of a rules file comes in, a `RuleSet` or one clear error goes out.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from typing import Annotated, Literal

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
    """Parse a rules file; SettingsError names `origin`, the key, the value and the mend."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{origin}: not valid TOML ({error}). Mend the line it names."
        ) from None
    try:
        rules = RuleSet.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"{origin}: {where} = {first.get('input')!r}: {first['msg']}."
        ) from None
    names = [rule.name for rule in rules.rule]
    for rule in rules.rule:
        if rule.field not in FIELDS:
            close = difflib.get_close_matches(rule.field, FIELDS, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(FIELDS)}."
            raise SettingsError(
                f"{origin}: rule {rule.name}: field = {rule.field!r} is not compared. {hint}"
            )
        if names.count(rule.name) > 1:
            raise SettingsError(f"{origin}: two rules are named {rule.name!r}. Rename one.")
    return rules
