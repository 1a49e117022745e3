"""Finds personal values that also stand inside other texts and takes them out. Pure.

A value is found in any case, with other or no separators (a slug, a phone in another format),
URL-quoted, JSON-escaped or as HTML; so are the parts of an address and the shorter forms of a
number. Nothing that is found stays: what cannot be cut out neatly is faked as a whole.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache, partial
from urllib.parse import quote, unquote

from harness.privacy.fakes import Faker, Shape
from harness.privacy.messages import is_technical
from harness.privacy.symbols import dress, symbols_of

SHORTEST = 4
"""Fewer symbols are no value of their own: they occur in any text."""
_SHORTEST_NUMBER = 7
"""A shorter number counts only where no other digit stands beside it."""
_LONGEST_CUT = 200
_MOST_HELD = 2000
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/?#@\s]*@)?(?:www\.)*([^/?#:@\s]+)", re.I)
_BETWEEN = (
    r"(?:[^\w%\\&]|_|%(?:25)*[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[\"\\/bfnrt]|&(?:#?\w{1,8};)?){0,4}?"
)


def is_time(text: str) -> bool:
    """Whether a text is a moment or a day as databases write it."""
    return _TIME.fullmatch(text) is not None


class Scrubber:
    """Knows the personal values of some rows that belong together."""

    def __init__(self, faker: Faker, *, public_hosts: frozenset[str] = frozenset()) -> None:
        """public_hosts: of directories; they stay, whatever they contain."""
        self._faker = faker
        self._public = public_hosts
        self._learnt: set[tuple[str, Shape | None]] = set()
        self._shapes: dict[str, Shape] = {}
        self._names: dict[str, str] = {}
        self._numbers: set[str] = set()
        self._own_hosts: set[str] = set()
        self._directories: set[str] = set()
        self._done: dict[str, str] = {}
        self._hosts: re.Pattern[str] | None = None

    def learn(self, value: str, shape: Shape) -> None:
        """Take out `value` and its parts from now on."""
        if (value, shape) in self._learnt:
            return
        self._learnt.add((value, shape))
        if len(value) > _MOST_HELD or is_time(value.strip()):
            return
        self._hold(value, shape)
        if "@" in value:
            local, _, host = value.strip().rpartition("@")
            self._hold(local, Shape.TEXT)
            self._hold(host, Shape.TEXT)
            self._own_hosts.add(host.casefold())
        elif shape is Shape.URL and (match := _HOST.match(value.strip())):
            self._hold(match[1], Shape.TEXT)
            self._own_hosts.add(match[1].casefold())
        if shape is Shape.PHONE:
            digits = "".join(filter(str.isdecimal, value))
            for length in (10, 7):
                if len(digits) > length:
                    self._hold(digits[-length:], Shape.PHONE)

    def learn_name(self, value: str, new: str) -> None:
        """Replace the identifier `value` by `new` from now on."""
        if (value, None) in self._learnt:
            return
        self._learnt.add((value, None))
        symbols = squash(value)
        if len(symbols) >= SHORTEST and not is_technical(value):
            self._names[symbols] = new
            self._hold(value, Shape.TEXT)

    def learn_directory(self, host: str) -> None:
        """A directory of these rows; it stays unless it is a business's own host alone."""
        # Some writers put a title there, which may be anything.
        if "." in host and " " not in host:
            self._directories.add(host.casefold().removeprefix("www."))

    def scrub(self, text: str) -> str:
        """The text without any value that was learnt; the same text if there is none."""
        found = self._done.get(text)
        if found is None:
            found = self._done[text] = self._scrub(text)
        return found

    def words(self, text: str) -> str:
        """Only the technical words, the numbers and the directories' hosts of a text."""
        parts = self._apart(text)
        parts[::2] = [self._faker.fake(part, Shape.MESSAGE) for part in parts[::2]]
        return self.scrub("".join(parts))

    def _hold(self, value: str, shape: Shape) -> None:
        symbols = squash(value)
        if len(symbols) < SHORTEST or is_technical(value):
            return
        if symbols.isdecimal() and len(symbols) < _SHORTEST_NUMBER:
            self._numbers.add(symbols)
        else:
            self._shapes.setdefault(symbols, shape)

    def _scrub(self, text: str) -> str:
        if len(text) < SHORTEST or is_time(text) or is_technical(text):
            return text
        text = _EMAIL.sub(lambda m: self._faker.fake(m[0], Shape.EMAIL), text)
        text = _PHONE.sub(lambda m: self._faker.fake(m[0], Shape.PHONE), text)
        if not self._holds(text):
            return text
        parts = self._apart(text)
        parts[::2] = [self._cut(part) for part in parts[::2]]
        return "".join(parts)

    def _apart(self, text: str) -> list[str]:
        """The text in pieces, of which every second is the host of a directory."""
        if self._hosts is None:
            # A host that only this customer has, as website or mail, is no public directory.
            hosts = self._directories - (self._own_hosts - self._public)
            longest_first = sorted(hosts, key=lambda host: (-len(host), host))
            self._hosts = re.compile(
                f"(?<![\\w.-])((?:www\\.)?(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'}))"
                "(?![\\w-])",
                re.IGNORECASE,
            )
        return self._hosts.split(text)

    def _holds(self, text: str) -> list[str]:
        """Values that the text contains, longest first."""
        views = list(_views(text))
        squashed = [squash(view) for view in views]
        found = [value for value in self._shapes if any(value in view for view in squashed)]
        found += [
            number
            for number in self._numbers
            if any(re.search(rf"(?<!\d){number}(?!\d)", view) for view in views)
        ]
        return sorted(found, key=lambda value: (-len(value), value))

    def _cut(self, text: str) -> str:
        for value in self._holds(text):
            if len(value) <= _LONGEST_CUT:
                text = _pattern(value).sub(partial(self._new, value), text)
        return self._faker.fake(text, Shape.GUESS) if self._holds(text) else text

    def _new(self, value: str, match: re.Match[str]) -> str:
        found = match[0]
        if value in self._names:
            return self._names[value]
        if symbols_of(found) == value:
            return self._faker.fake(found, self._shapes.get(value, Shape.TEXT))
        return dress(value, self._faker.text(value))


def squash(text: str) -> str:
    """What all ways of writing a value have in common."""
    return symbols_of(text if text.isascii() else unicodedata.normalize("NFKC", text))


def _views(text: str) -> Iterator[str]:
    """The text, and what it says once it is decoded."""
    yield text
    if "%" in text:
        once = unquote(text)
        yield once
        yield unquote(once)
    if "\\" in text:
        yield re.sub(
            r"\\u([0-9a-fA-F]{4})|\\(.)",
            lambda m: chr(int(m[1], 16)) if m[1] else (" " if m[2] in "bfnrt" else m[2]),
            text,
        )
    if "&" in text:
        yield html.unescape(text)


@lru_cache(maxsize=4096)
def _pattern(symbols: str) -> re.Pattern[str]:
    guard = (r"(?<!\d)", r"(?!\d)") if symbols.isdecimal() else ("", "")
    body = _BETWEEN.join(map(_spellings, symbols))
    return re.compile(f"{guard[0]}{body}{guard[1]}", re.IGNORECASE)


def _spellings(symbol: str) -> str:
    if symbol.isascii():
        return symbol
    code = ord(symbol)
    ways = [re.escape(symbol), quote(symbol), quote(quote(symbol)), rf"\\u{code:04x}"]
    ways += [f"&#{code};", f"&#x{code:x};"]
    return f"(?:{'|'.join(ways)})"
