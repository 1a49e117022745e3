"""Redacts technical texts word by word: what a machine would say to anybody stays. Pure.

Keeps known technical words, small numbers and spans of time, so that an error is still read and
classified as before; every other word and number becomes another one of the same length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from harness.privacy.symbols import dress, symbols_of
from harness.privacy.vocabulary import WORDS

_STEM = re.compile(
    r"captcha|timeout|timed out|exceeded|net::|ns_error|err_|navigation"
    r"|connection (?:refused|reset)|\b(?:403|404|5\d\d)\b|selector|no element"
    r"|not found on page|strict mode violation"
    r"|waiting for locator|missing directory url|no business profile|no_profile|unknown action"
    r"|failed to get submission plan|no pending submissions|predicted submission failed"
    r"|no success indicators|no confirmation|rejected|not accepted|no_form|crash|target closed"
    r"|browser has been closed"
    r"|forbidden|already (?:listed|exists|registered)|duplicate (?:listing|entry)"
    r"|(?:log[ -]?in|sign[ -]?in|authentication) (?:is )?required|redirected to (?:a )?log[ -]?in"
    r"|e-?mail verification|verify your e-?mail|check your inbox|locator|waiting for|https?://",
    re.IGNORECASE,
)
"""What ``sql/sources/error_classes.sql`` tells the classes of errors by, also inside a word; and
what a replay tells the world of a submission by."""
_STATUS = re.compile(r"403|404|5\d\d")
_PIECE = re.compile(r"\d+|[^\W\d_]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_UNITS = frozenset({"ms", "s", "px", "kb", "mb"})
_LONGEST_KEPT_NUMBER = 2


def redact_message(text: str, fake: Callable[[str], str]) -> str:
    """Return `text` with every word replaced that is no technical one.

    fake: gives other symbols for the symbols of one word. The signs that error classes are told by
    are the same afterwards, in the same order.
    """
    signs = list(_STEM.finditer(text))
    kept = [sign.span() for sign in signs]
    out: list[str] = []
    position = 0
    for match in _PIECE.finditer(text):
        start, end = match.span()
        out += [text[position:start], _piece(text, start, end, kept, fake)]
        position = end
    redacted = "".join([*out, text[position:]])
    if _STEM.findall(redacted) != [sign.group() for sign in signs]:
        # By chance a new word is such a sign ("err_"): the signs alone still tell the class.
        return " ".join(sign.group() for sign in signs)
    return redacted


@lru_cache(maxsize=65536)
def is_technical(text: str) -> bool:
    """Whether a text is made of technical words alone."""
    return all(_is_known(piece) for piece in _PIECE.findall(text))


def _piece(
    text: str, start: int, end: int, kept: list[tuple[int, int]], fake: Callable[[str], str]
) -> str:
    piece = text[start:end]
    if _is_known(piece) or any(low <= start and end <= high for low, high in kept):
        return piece
    if piece.isdecimal():
        after = _PIECE.match(text, end)
        spans_time = after is not None and after.group().casefold() in _UNITS
        if len(piece) <= _LONGEST_KEPT_NUMBER or spans_time:
            return piece
        new = _dressed(piece, fake)
        # Walking on along the cycle keeps different numbers different.
        while _STATUS.fullmatch(new):
            new = _dressed(new, fake)
        return new
    # A stem inside a longer word ("recaptchas") stays where it is; what surrounds it does not.
    out, position = [], start
    for low, high in kept:
        if low < end and start < high:
            low, high = max(low, start), min(high, end)
            out += [_dressed(text[position:low], fake), text[low:high]]
            position = high
    return "".join([*out, _dressed(text[position:end], fake)])


def _is_known(piece: str) -> bool:
    """A technical word, or several of them grown together as in ``TimeoutError``."""
    if piece.casefold() in WORDS:
        return True
    humps = _HUMP.findall(piece)
    return "".join(humps) == piece and all(hump.casefold() in WORDS for hump in humps)


def _dressed(part: str, fake: Callable[[str], str]) -> str:
    return dress(part, fake(symbols_of(part)))
