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
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


def fold_space(value: str) -> str:
    """Trim, and fold runs of white space into one blank."""
    return _SPACE.sub(" ", value).strip()


@lru_cache(maxsize=65536)
def phone(value: str, region: str) -> str:
    """E.164 of a possible number, with its extension if it has one; else the value unchanged."""
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return value
    if not phonenumbers.is_possible_number(number):
        return value
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # E.164 has no place for an extension, and two extensions are two telephones.
    return f"{shown};ext={number.extension}" if number.extension else shown


def url(value: str) -> str:
    """Address without scheme, ``www.``, host case, default port and trailing slash."""
    # Dropping one part can lay another bare, as in "http://http://site.example".
    while (bare := _bare_url(value)) != value:
        value = bare
    return value


def _bare_url(value: str) -> str:
    text = value.strip()
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text}")
        host = (parts.hostname or "").removeprefix("www.")
        port = parts.port
    except ValueError:
        return value
    if not host or ":" in host:
        return value
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    shown = host if port in (None, 80, 443) else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{user}{shown}{parts.path.rstrip('/')}{query}{fragment}"


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
