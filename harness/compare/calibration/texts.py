"""Changes of one sent value: those that make it another value, and those that do not. Pure.

A change gives None where it does not apply. Where it applies it depends on the value alone, so the
same value is changed in the same way wherever and whenever it occurs.
"""

from __future__ import annotations

import re
import string
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, TypeVar

import phonenumbers

from harness.compare.kinds import VALUE_FIELDS
from harness.compare.meaning import meaning

T = TypeVar("T")
Change: TypeAlias = Callable[[str], str | None]

_DIGIT = re.compile(r"\d", re.ASCII)
_LETTER = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"\w[\w'’-]*")
_PARTS = re.compile(r"((?:[A-Za-z][\w+.-]*:)?//)?(www\.)?([^/?#]+)([^?#]*)(.*)", re.DOTALL)
"""Scheme, ``www.``, host, path, and query with fragment."""
_SUBSCRIBER = 7
"""Of a phone number, so many last digits name the line and not the country or area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChange:
    """One way to change a value. `fault`: what goes wrong, said of the field."""

    name: str
    fault: str
    fields: tuple[str, ...]
    change: Change


def another_digit(value: str) -> str | None:
    """One digit becomes another; of a phone number one of its last."""
    places = [match.start() for match in _DIGIT.finditer(value)]
    if not places:
        return None
    at = _one_of(places[-_SUBSCRIBER:], value)
    return value[:at] + str((int(value[at]) + 1 + _number(value) % 8) % 10) + value[at + 1 :]


def digits_swapped(value: str) -> str | None:
    """Two neighbouring digits in the wrong order."""
    digits = list(_DIGIT.finditer(value))
    unequal = [(a.start(), b.start()) for a, b in pairwise(digits) if a[0] != b[0]]
    if not unequal:
        return None
    a, b = _one_of(unequal[-_SUBSCRIBER + 1 :], value)
    return value[:a] + value[b] + value[a + 1 : b] + value[a] + value[b + 1 :]


def digit_lost(value: str) -> str | None:
    """One digit is missing."""
    places = [match.start() for match in _DIGIT.finditer(value)]
    if not places:
        return None
    at = _one_of(places[-_SUBSCRIBER:], value)
    return value[:at] + value[at + 1 :]


def another_letter(value: str) -> str | None:
    """One letter becomes another."""
    return _another_letter(value, 0, len(value))


def host_letter(value: str) -> str | None:
    """One letter of the host's name becomes another."""
    parts = _PARTS.fullmatch(value.strip())
    if not parts:
        return None
    host = _another_letter(parts[3], 0, parts[3].find(".") if "." in parts[3] else len(parts[3]))
    return host and "".join((parts[1] or "", parts[2] or "", host, parts[4], parts[5]))


def domain_end(value: str) -> str | None:
    """Another top-level domain."""
    found = re.fullmatch(r"(.*[\w-]+\.)([A-Za-z]{2,})(/.*)?", value.strip(), re.DOTALL)
    return found and f"{found[1]}{'net' if found[2].lower() != 'net' else 'org'}{found[3] or ''}"


def another_page(value: str) -> str | None:
    """A page below the right site."""
    parts = _PARTS.fullmatch(value.strip())
    if not parts or parts[5]:
        return None
    return value.strip().rstrip("/") + "/old-page"


def mailbox(value: str) -> str | None:
    """Another mailbox at the right domain."""
    user, at, domain = value.strip().rpartition("@")
    return f"{user}.{'x' if not user.endswith('.x') else 'y'}{at}{domain}" if at else None


def word_lost(value: str) -> str | None:
    """The last word is missing."""
    words = list(_WORD.finditer(value))
    return value[: words[-1].start()].rstrip() if len(words) > 1 else None


def word_added(value: str) -> str | None:
    """A word that nobody wrote."""
    return f"{value.rstrip()} annex" if value.strip() else None


def words_swapped(value: str) -> str | None:
    """The first two words in the wrong order."""
    words = list(_WORD.finditer(value))
    if len(words) < 2:
        return None
    a, b = words[:2]
    return value[: a.start()] + b[0] + value[a.end() : b.start()] + a[0] + value[b.end() :]


def cut(value: str) -> str | None:
    """Only the first half arrives."""
    text = value.strip()
    return text[: len(text) // 2] if len(text) > 1 else None


def emptied(value: str) -> str | None:
    """The field arrives empty."""
    return "" if value.strip() else None


def placeholder(value: str) -> str | None:
    """A variable that was never filled in."""
    return "undefined" if value.strip() else None


def mojibake(value: str) -> str | None:
    """Written as UTF-8 and read as Latin-1."""
    return None if value.isascii() else value.encode("utf-8").decode("latin-1")


def padded(value: str) -> str | None:
    """More white space around it, and between two words."""
    return f" {re.sub(' ', '  ', value.strip(), count=1)}\t" if value.strip() else None


def other_case(value: str) -> str | None:
    """Small letters for capitals and capitals for small ones."""
    return value.swapcase()


def phone_written(value: str) -> str | None:
    """The same number in another way of writing."""
    try:
        number = phonenumbers.parse(value, "US")
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def url_written(value: str) -> str | None:
    """The same site in another way of writing."""
    parts = _PARTS.fullmatch(value.strip())
    if not parts or "@" in parts[3] or ":" in parts[3]:
        return None
    scheme = "http://" if (parts[1] or "").lower() == "https://" else "https://"
    slash = "" if parts[5] or parts[4].endswith("/") else "/"
    return f"{scheme}{'' if parts[2] else 'www.'}{parts[3].upper()}{parts[4]}{slash}{parts[5]}"


_WORDS = ("name", "address", "city", "category", "description")
FAULTS = (
    TextChange(name="digit", fault="one digit is another", change=another_digit,
               fields=("phone", "zip", "address", "name", "category", "description")),
    TextChange(name="digits_swapped", fault="two digits changed places", change=digits_swapped,
               fields=("phone", "zip", "address")),
    TextChange(name="digit_lost", fault="a digit is missing", change=digit_lost,
               fields=("phone", "zip", "address")),
    TextChange(name="letter", fault="one letter is another", change=another_letter,
               fields=(*_WORDS, "email", "state")),
    TextChange(name="host", fault="the host is another", change=host_letter, fields=("website",)),
    TextChange(name="domain", fault="the top-level domain is another", change=domain_end,
               fields=("website", "email")),
    TextChange(name="page", fault="it leads to another page", change=another_page,
               fields=("website",)),
    TextChange(name="mailbox", fault="the mailbox is another", change=mailbox, fields=("email",)),
    TextChange(name="word_lost", fault="the last word is missing", change=word_lost,
               fields=_WORDS),
    TextChange(name="word_added", fault="a word was added", change=word_added,
               fields=("name", "address", "description")),
    TextChange(name="words_swapped", fault="two words changed places", change=words_swapped,
               fields=("name", "description")),
    TextChange(name="cut", fault="it was cut in half", change=cut, fields=VALUE_FIELDS),
    TextChange(name="emptied", fault="it arrived empty", change=emptied, fields=VALUE_FIELDS),
    TextChange(name="placeholder", fault="a placeholder was sent", change=placeholder,
               fields=VALUE_FIELDS),
    TextChange(name="mojibake", fault="its accents were garbled", change=mojibake,
               fields=_WORDS),
)  # fmt: skip
"""Each makes a value another value."""

INNOCENT = (
    TextChange(name="padded", fault="other white space", change=padded, fields=VALUE_FIELDS),
    TextChange(name="case", fault="other case", change=other_case, fields=("email", "city")),
    TextChange(name="written", fault="another way of writing the number", change=phone_written,
               fields=("phone",)),
    TextChange(name="written", fault="another way of writing the address", change=url_written,
               fields=("website",)),
)  # fmt: skip
"""Each leaves the value what it is to anybody who reads it."""


def changed(change: Change, field: str, value: str, *, same: bool) -> str | None:
    """The changed value, or None where it would not be what the change is meant to make.

    same: whether it has to stay the same value; else it must become another.
    """
    new = change(value)
    if new is None or new == value:
        return None
    return new if (meaning(field, new) == meaning(field, value)) == same else None


def someone_elses(field: str, values: Sequence[str]) -> dict[str, str]:
    """For each value the next one that means another, as if two customers had been mixed up."""
    by_meaning: dict[str, str] = {}
    for value in sorted(values):
        by_meaning.setdefault(meaning(field, value), value)
    known = list(by_meaning)
    if len(known) < 2:
        return {}
    after = dict(zip(known, (*known[1:], known[0]), strict=True))
    return {value: by_meaning[after[meaning(field, value)]] for value in values}


def _another_letter(value: str, begin: int, end: int) -> str | None:
    places = [match.start() for match in _LETTER.finditer(value, begin, end)]
    if not places:
        return None
    at = _one_of(places, value)
    letters = string.ascii_lowercase if value[at].islower() else string.ascii_uppercase
    step = 1 + _number(value) % 25
    return value[:at] + letters[(letters.index(value[at]) + step) % 26] + value[at + 1 :]


def _number(value: str) -> int:
    """The same for the same value on every machine, unlike `hash`."""
    return zlib.crc32(value.encode())


def _one_of(places: Sequence[T], value: str) -> T:
    return places[_number(value) % len(places)]
