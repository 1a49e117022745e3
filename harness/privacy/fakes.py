"""Format-preserving fakes: same kind, same shape, same whenever the original is the same. Pure.

Ways of writing one value that a comparison calls equal (case, white space, the format of a phone
number, the form of an address) stay equal as fakes, and different values stay different: a fake is
derived from what the ways of writing have in common and then dressed like the original.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote, unquote

import phonenumbers

from harness.privacy.messages import redact_message
from harness.privacy.symbols import SymbolFaker, dress, symbols_of

_CACHED = 50_000
FAKE_HOST = ".example"
"""Every host of a fake ends so: it belongs to nobody."""
_EMAIL = re.compile(r"(\s*)([^@\s]+)@([^@\s]+?)(\s*)")
_URL = re.compile(
    r"(?P<before>\s*(?:(?:[a-z][a-z0-9+.-]*:)?//)?)(?P<user>[^/?#@\s]*@)?(?P<www>(?:www\.)*)"
    r"(?P<host>[^/?#:@\s]+)(?P<port>:\d+)?(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"((?:%[0-9A-Fa-f]{2})+)")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_STATES = """
AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,
DC District of Columbia,FL Florida,GA Georgia,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,
KS Kansas,KY Kentucky,LA Louisiana,ME Maine,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,
MS Mississippi,MO Missouri,MT Montana,NE Nebraska,NV Nevada,NH New Hampshire,NJ New Jersey,
NM New Mexico,NY New York,NC North Carolina,ND North Dakota,OH Ohio,OK Oklahoma,OR Oregon,
PA Pennsylvania,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,UT Utah,
VT Vermont,VA Virginia,WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming
"""
_STATE_NAMES = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _STATES.split(","))
}
_STATE_CODES = {name.casefold(): code for code, name in _STATE_NAMES.items()}
_STATE_CODES |= {code.casefold(): code for code in _STATE_NAMES}


class Shape(StrEnum):
    """What a fake must look like."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    STATE = "state"
    MESSAGE = "message"
    """A technical text: its known words stay."""
    GUESS = "guess"
    """Whatever the value itself looks like."""


class Faker:
    """Fakes values under one secret. Equal secrets give equal fakes, so traces can be joined."""

    def __init__(self, secret: bytes, *, region: str = "US") -> None:
        """region: of phone numbers that are written without a country, as the rules have it."""
        self._secret = secret
        self._region = region
        self._symbols = SymbolFaker(secret)
        self._known: dict[tuple[str, Shape], str] = {}
        self.identifier = lru_cache(maxsize=_CACHED)(self._identifier)
        self._state_order = sorted(_STATE_NAMES, key=lambda code: self._digest("state", code))

    def fake(self, value: str, shape: Shape) -> str:
        """A fake of `value`; a value that has not the shape it should have is faked as text."""
        # The same value stands in every version of a row and in every plan of a job.
        found = self._known.get((value, shape))
        if found is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            found = self._known[value, shape] = self._fake(value, shape)
        return found

    def _fake(self, value: str, shape: Shape) -> str:
        match shape:
            case Shape.EMAIL:
                return self._email(value)
            case Shape.PHONE:
                return self._phone(value)
            case Shape.URL:
                return self._url(value)
            case Shape.STATE:
                return self._state(value)
            case Shape.MESSAGE:
                return redact_message(value, self._symbols.fake)
            case Shape.GUESS if _EMAIL.fullmatch(value):
                return self._email(value)
            case Shape.GUESS if "://" in value or value.strip().lower().startswith("www."):
                return self._url(value)
            case _:
                return self.text(value)

    def text(self, value: str) -> str:
        """Other letters and digits, everything else as it stands."""
        return dress(value, self._symbols.fake(symbols_of(value)))

    def number(self, value: int | float, shape: Shape) -> int | float | str:
        """A number of as many digits; as text where it would begin with a zero."""
        text = self.fake(str(value), shape)
        try:
            number = type(value)(text)
        except ValueError:
            return text
        return number if str(number) == text else text

    def _identifier(self, value: str) -> str:
        """A name that says nothing and stays the same; a UUID for a UUID."""
        digest = self._digest("id", value.casefold() if _UUID.fullmatch(value) else value)
        if _UUID.fullmatch(value):
            return str(uuid.UUID(bytes=digest[:16], version=4))
        return f"id-{digest[:10].hex()}"

    def _digest(self, purpose: str, text: str) -> bytes:
        message = f"{purpose}:{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, hashlib.sha256)

    def _email(self, value: str) -> str:
        match = _EMAIL.fullmatch(value)
        if match is None:
            return self.text(value)
        before, local, host, after = match.groups()
        host, end = _without_fake_host(host)
        new = self.text(f"{local}@{host}")
        return f"{before}{new}{end or FAKE_HOST}{after}"

    def _url(self, value: str) -> str:
        match = _URL.fullmatch(value)
        if match is None:
            return self.text(value)
        host, end = _without_fake_host(match["host"])
        parts = [match["user"] or "", host, *_QUOTED.split(match["rest"])]
        plain = [unquote(part) for part in parts]
        symbols = iter(self._symbols.fake("".join(map(symbols_of, plain))))
        user, host, *rest = (
            _requote(part, _dressed(text, symbols)) for part, text in zip(parts, plain, strict=True)
        )
        if symbols_of(host) == symbols_of(plain[1]):
            # The whole became another one, and this part of it by chance did not.
            host = _requote(parts[1], self.text(plain[1]))
        begin = f"{match['before']}{user}{match['www'] or ''}"
        return f"{begin}{host}{end or FAKE_HOST}{match['port'] or ''}{''.join(rest)}"

    def _state(self, value: str) -> str:
        code = _STATE_CODES.get(" ".join(value.split()).casefold())
        if code is None:
            return self.text(value)
        place = (self._state_order.index(code) + 1) % len(self._state_order)
        new = self._state_order[place]
        text = value.strip()
        short = len(text) == len(new)
        shown = dress(text, new.lower()) if short else _STATE_NAMES[new]
        if not short and (text.isupper() or text.islower()):
            shown = shown.upper() if text.isupper() else shown.lower()
        return value.replace(text, shown)

    def _phone(self, value: str) -> str:
        try:
            number = phonenumbers.parse(value, self._region)
        except phonenumbers.NumberParseException:
            return self.text(value)
        if not phonenumbers.is_possible_number(number):
            return self.text(value)
        extension = number.extension or ""
        national = phonenumbers.national_significant_number(number)
        new = self._national(number.country_code, national) + self._symbols.fake(extension)
        # Letters on a keypad ("1-800-FLOWERS") are dialled as digits and faked as such.
        places = [place for place, character in enumerate(value) if character.isalnum()]
        dialled = places[: len(places) - len(extension)] if extension else places
        if extension:
            # The mark before an extension ("ext. 5") is no part of either.
            while dialled and not value[dialled[-1]].isdecimal():
                dialled.pop()
        chosen = dialled[-len(national) :] + (places[-len(extension) :] if extension else [])
        if "".join(_keypad(value[place]) for place in chosen) != national + extension:
            return self.text(value)
        out = list(value)
        for place, digit in zip(chosen, new, strict=True):
            out[place] = digit
        return "".join(out)

    def _national(self, country: int | None, national: str) -> str:
        """Another number of the same country and length; in North America with 555 inside."""
        for attempt in range(64):
            digest = self._digest(f"phone{attempt}", f"{country}:{national}")
            digits = "".join(str(byte % 10) for byte in digest)[: len(national)]
            if country == 1 and len(national) == 10:
                digits = f"{2 + digest[31] % 8}{digits[1:3]}555{digits[6:]}"
            else:
                digits = national[0] + digits[1:]
            if digits != national and _is_dialled_as(country, digits):
                return digits
        return self._symbols.fake(national)


@lru_cache(maxsize=4096)
def shape_of(name: str) -> Shape:
    """The shape of a field by the last word of its name: ``customer_email`` is an email."""
    word = re.split(r"[^a-z]+", name.casefold())[-1]
    return _SHAPES.get(word, Shape.GUESS)


_SHAPES = {
    **dict.fromkeys(("email", "mail"), Shape.EMAIL),
    **dict.fromkeys(("phone", "mobile", "fax", "tel"), Shape.PHONE),
    **dict.fromkeys(("website", "homepage"), Shape.URL),
    "state": Shape.STATE,
}


def _without_fake_host(host: str) -> tuple[str, str]:
    """A host and the ending that it keeps, if it already belongs to nobody."""
    low = host.casefold()
    if low.endswith(FAKE_HOST) and low != FAKE_HOST:
        return host[: -len(FAKE_HOST)], host[-len(FAKE_HOST) :]
    return host.rstrip(".") or host, ""


def _dressed(text: str, symbols: Iterator[str]) -> str:
    return dress(text, "".join(next(symbols) for _ in symbols_of(text)))


def _requote(part: str, text: str) -> str:
    return quote(text, safe="") if _QUOTED.fullmatch(part) else text


def _keypad(character: str) -> str:
    return phonenumbers.convert_alpha_characters_in_number(character)


def _is_dialled_as(country: int | None, national: str) -> bool:
    """Whether a number survives being written and read again."""
    text = f"+{country}{national}"
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number) and (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text
    )
