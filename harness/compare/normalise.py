"""What each rule does to one value. Pure; every function is idempotent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit

import phonenumbers

from harness.compare.addresses import postal_address
from harness.compare.kinds import (
    AddressRule,
    CasefoldRule,
    DateRule,
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
)

IGNORED = "(ignored)"
"""What both sides say where a rule ignores the field."""

_SPACE = re.compile(r"\s+")
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
_WITH_TIME = re.compile(r"%[HIXc]")


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


def host(value: str) -> str:
    """The host of an address, without ``www.``; text that is no address stays as it is."""
    bare = url(value)
    try:
        parts = urlsplit(f"//{bare}")
        name = parts.hostname or ""
    except ValueError:
        return value
    # An address with a port that is none still begins with it.
    while name.startswith("www."):
        name = name.removeprefix("www.")
    return name if "@" not in parts.netloc and _HOST.fullmatch(name) else value


def compatible(value: str) -> str:
    """NFKC: full-width letters, ligatures and composed accents in one form (Unicode Annex 15)."""
    return unicodedata.normalize("NFKC", value)


def number(value: str) -> str:
    """A plain decimal number without separators and idle zeros; else the value unchanged."""
    text = value.strip()
    if not _NUMBER.fullmatch(text):
        return value
    plain = f"{Decimal(text.replace(',', '')):f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain


def moment(value: str, formats: Sequence[str] = ()) -> str:
    """A date or time in ISO 8601, a time with a zone in UTC; else the value unchanged.

    formats: what else to try, as ``strptime`` takes them, first that fits.
    """
    text = value.strip()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        return _iso(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    for form in formats:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007  the text has its zone
            return _iso(found) if _WITH_TIME.search(form) else found.date().isoformat()
        except (ValueError, OverflowError):
            continue
    return value


def _iso(found: datetime) -> str:
    if found.tzinfo is None:
        return found.isoformat()
    return found.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def within(rule: ToleranceRule, control: str, candidate: str) -> bool:
    """Whether both are numbers that the tolerance lets agree."""
    left, right = number(control), number(candidate)
    if not (_NUMBER.fullmatch(left) and _NUMBER.fullmatch(right)):
        return False
    a, b = Decimal(left), Decimal(right)
    if rule.absolute is not None:
        return abs(a - b) <= Decimal(str(rule.absolute))
    return abs(a - b) <= Decimal(str(rule.relative)) * max(abs(a), abs(b))


def normaliser(rule: Rule) -> Callable[[str], str] | None:
    """The function of a rule that works value by value; None for a rule that does not."""
    match rule:
        case MapRule():
            return lambda value: rule.map.get(value, value)
        case IgnoreRule():
            return lambda _: IGNORED
        case WhitespaceRule():
            return fold_space
        case CasefoldRule():
            return str.casefold
        case UnicodeRule():
            return compatible
        case PhoneRule():
            return lambda value: phone(value, rule.region)
        case UrlRule():
            return url
        case HostRule():
            return host
        case AddressRule():
            return postal_address
        case DateRule():
            return lambda value: moment(value, rule.formats or ())
        case NumberRule():
            return number
        case _:
            return None
