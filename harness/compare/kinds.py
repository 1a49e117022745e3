"""The kinds of rules and the scope that each may have. Pure data; nothing is applied here."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

VALUE_FIELDS = (
    "name", "email", "phone", "website", "address", "city", "state", "zip", "category",
    "description",
)  # fmt: skip
LATENCY = "latency_s"
FIELDS = ("outcome", "error", LATENCY, "values.*", *(f"values.{f}" for f in VALUE_FIELDS))
"""What is compared, one cell a pair."""
PAIR = "pair"
"""The field of a rule that sets whole pairs apart."""

_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?%")


def _words(value: object) -> object:
    """One word may stand without its list."""
    return (value,) if isinstance(value, str) else value


def _at_most(value: object) -> object:
    share = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if share and float(share[1]) <= 100:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError('is no limit. Write a number of pairs such as 20, or a share such as "5%"')


Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_words)]


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    field: str
    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    directory: Words | None = None
    """Globs over the directory's host; none: every directory."""
    archetype: Words | None = None
    """Kinds of site, as the rules file declares them; none: every directory."""
    candidate_version: Words | None = None
    """Globs over the version of the candidate that was marked when the job was created."""
    since: AwareDatetime | None = None
    """Only jobs created at or after this time."""
    until: AwareDatetime | None = None
    """Only jobs created before this time."""
    expires: date | None = None
    """The last day, in UTC, on which the rule may be used."""
    expects_at_most: Annotated[int | str | None, BeforeValidator(_at_most)] = None
    """Pairs that it is declared to hide at most: a number, or a share such as ``5%``."""

    def allowed(self, pairs: int) -> float | None:
        """How many of so many pairs the rule may hide; None where it declares no limit."""
        if isinstance(self.expects_at_most, str):
            return float(self.expects_at_most.rstrip("% ")) / 100 * pairs
        return None if self.expects_at_most is None else float(self.expects_at_most)


class MapRule(_Rule):
    """Replaces words by their canonical word; on `outcome` it is a status map."""

    kind: Literal["map"]
    map: dict[str, str] = Field(min_length=1)


class ErrorPattern(BaseModel):
    """One line of an error class map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: str = Field(min_length=1)
    """A regular expression that is searched for in the recorded text."""
    to: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """The class."""


class ErrorClassRule(_Rule):
    """Compares the class of an error instead of its text; own `pattern`s go first, in order."""

    kind: Literal["error_class"]
    pattern: tuple[ErrorPattern, ...] | None = None


class IgnoreRule(_Rule):
    """Does not compare the field at all."""

    kind: Literal["ignore"]


class WhitespaceRule(_Rule):
    """Trims, and folds runs of white space into one blank."""

    kind: Literal["whitespace"]


class CasefoldRule(_Rule):
    """Compares without case."""

    kind: Literal["casefold"]


class UnicodeRule(_Rule):
    """Writes every character in its compatible composed form (NFKC)."""

    kind: Literal["unicode"]


class PhoneRule(_Rule):
    """Writes a phone number in E.164; text that is no number stays as it is."""

    kind: Literal["phone"]
    region: str = "US"


class UrlRule(_Rule):
    """Drops scheme, ``www.``, host case, default port and a trailing slash."""

    kind: Literal["url"]


class HostRule(_Rule):
    """Keeps only the host of an address, without ``www.``."""

    kind: Literal["host"]


class AddressRule(_Rule):
    """Writes a postal address with the post's abbreviations, without case and punctuation."""

    kind: Literal["address"]


class DateRule(_Rule):
    """Writes a date or time in ISO 8601, one with a zone in UTC; `formats` are tried after it."""

    kind: Literal["date"]
    formats: Words | None = None
    """As ``strptime`` takes them, such as ``%m/%d/%Y``."""


class NumberRule(_Rule):
    """Writes a number without thousands separators, sign of plus and idle zeros."""

    kind: Literal["number"]


class ToleranceRule(_Rule):
    """Lets two numbers agree that are at most `absolute` apart, or `relative` to the larger."""

    kind: Literal["tolerance"]
    absolute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    relative: float | None = Field(default=None, gt=0, lt=1)


class CeilingRule(_Rule):
    """The candidate's number may be anything up to `limit`."""

    kind: Literal["ceiling"]
    limit: float = Field(gt=0)


class ExcludeRule(_Rule):
    """Sets whole pairs apart: counted as excluded under its name, never judged and never lost."""

    kind: Literal["exclude"]
    control: Words | None = None
    """Only where the control recorded one of these status words."""
    candidate: Words | None = None
    """Only where the candidate recorded one of these status words."""


Rule = Annotated[
    MapRule
    | ErrorClassRule
    | IgnoreRule
    | WhitespaceRule
    | CasefoldRule
    | UnicodeRule
    | PhoneRule
    | UrlRule
    | HostRule
    | AddressRule
    | DateRule
    | NumberRule
    | ToleranceRule
    | CeilingRule
    | ExcludeRule,
    Field(discriminator="kind"),
]
_UNION: Any = get_args(Rule)[0]
KINDS: dict[str, type[_Rule]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(_UNION)
}
"""Every kind by its name."""

_VALUES = tuple(field for field in FIELDS if field.startswith("values."))
_TEXT = ("outcome", "error", *_VALUES)
# A zip code or a phone one off is another one, however near the number is.
_MEASURES = tuple(f"values.{f}" for f in ("name", "address", "city", "state", "category",
                                          "description"))  # fmt: skip
FIELDS_OF_KIND: dict[str, tuple[str, ...]] = {
    "map": _TEXT,
    "error_class": ("error",),
    # To ignore an outcome is to agree with anything; whole pairs are set apart by `exclude`.
    "ignore": ("error", "latency_s", *_VALUES),
    "whitespace": _TEXT,
    "casefold": _TEXT,
    "unicode": _TEXT,
    "phone": ("values.phone",),
    "url": ("values.website",),
    "host": ("values.website",),
    "address": ("values.address", "values.city"),
    "date": _MEASURES,
    "number": _MEASURES,
    "tolerance": _MEASURES,
    "ceiling": ("latency_s",),
    "exclude": (PAIR,),
}
"""Elsewhere such a rule would find nothing, or make everything agree."""
