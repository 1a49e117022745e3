"""What each rule does to one value. Pure; every function is idempotent."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

import phonenumbers

from harness.compare.rules import (
    CasefoldRule,
    MapRule,
    PhoneRule,
    Rule,
    UrlRule,
    WhitespaceRule,
)

_SPACE = re.compile(r"\s+")


def fold_space(value: str) -> str:
    """Trim, and fold runs of white space into one blank."""
    return _SPACE.sub(" ", value).strip()


@lru_cache(maxsize=65536)
def phone(value: str, region: str) -> str:
    """E.164 of a possible number, else the value unchanged."""
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return value
    if not phonenumbers.is_possible_number(number):
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def url(value: str) -> str:
    """Host and path of an address, as two people would say it is the same site."""
    text = value.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = (parts.hostname or "").removeprefix("www.")
        port = parts.port
    except ValueError:
        return value
    if not host:
        return value
    default = {None: True, 80: True, 443: True}.get(port, False)
    shown = host if default else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{shown}{parts.path.rstrip('/')}{query}"


def normaliser(rule: Rule) -> Callable[[str], str] | None:
    """The function of a rule that works value by value; None for a rule that does not."""
    match rule:
        case MapRule():
            return lambda value: rule.map.get(value, value)
        case WhitespaceRule():
            return fold_space
        case CasefoldRule():
            return str.casefold
        case PhoneRule():
            return lambda value: phone(value, rule.region)
        case UrlRule():
            return url
        case _:
            return None
