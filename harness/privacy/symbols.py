"""Replaces the letters and digits of a text by others, keyed by a secret. Pure.

A text's *symbols* are its letters, digits and other meaningful characters without case; what
separates them (blanks, punctuation) is none. Short ASCII texts go through a keyed permutation with
a single cycle: different ones stay different and none is its own image. For longer ones a keyed
stream does, where two alike are less likely than 1 in 2**40.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import count

_TABLE_LIMIT = 4096
"""Up to so many texts of one shape are permuted by a table; a Feistel network mixes few badly."""
_PERMUTATION_LIMIT = 2**40
_ROUNDS = 8
_CACHED = 200_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_ACCENTED = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþ"
"""Letters of Latin-1 with one capital each."""
_IDEOGRAPHS = "".join(map(chr, range(0x4E00, 0x9FA6)))
"""Stand for every script without case."""
_ASCII_SEPARATORS = {code: None for code in range(128) if not chr(code).isalnum()}
_SEPARATING = frozenset({"Sc", "Sm", "Sk", "Cc", "Cf"})


def is_symbol(character: str) -> bool:
    """Whether a character may tell something: letters, digits, marks, pictures."""
    if character.isascii():
        return character.isalnum()
    category = unicodedata.category(character)
    return category[0] not in "PZ" and category not in _SEPARATING


def symbols_of(text: str) -> str:
    """The symbols of a text, case folded: what two ways of writing it have in common."""
    if text.isascii():
        return text.lower().translate(_ASCII_SEPARATORS)
    return "".join(filter(is_symbol, text.casefold()))


class SymbolFaker:
    """Fakes symbols under one secret; the same symbols always become the same ones."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"symbols", "sha256")
        self._known: dict[str, str] = {}
        self._table = lru_cache(maxsize=256)(self._make_table)

    def fake(self, symbols: str) -> str:
        """Symbols of the same number and kinds, none of them the whole text again."""
        found = self._known.get(symbols)
        if found is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            found = self._known[symbols] = self._fake(symbols)
        return found

    def _fake(self, symbols: str) -> str:
        if not symbols:
            return ""
        alphabets = [_alphabet(symbol) for symbol in symbols]
        sizes = tuple(map(len, alphabets))
        if symbols.isascii() and math.prod(sizes) <= _PERMUTATION_LIMIT:
            indices = [alphabet.index(c) for alphabet, c in zip(alphabets, symbols, strict=True)]
            image: Sequence[int] = self._permuted(sizes, indices)
            return "".join(alphabet[i] for alphabet, i in zip(alphabets, image, strict=True))
        for attempt in count():
            stream = self._stream(
                b"long%d" % attempt, symbols.encode("utf-8", "surrogatepass"), sizes
            )
            text = "".join(alphabet[i] for alphabet, i in zip(alphabets, stream, strict=True))
            if text != symbols:
                return text
        raise AssertionError

    def _permuted(self, sizes: tuple[int, ...], indices: Sequence[int]) -> Sequence[int]:
        """The next one on the single cycle that the key draws through all texts of this shape."""
        if math.prod(sizes) <= _TABLE_LIMIT:
            return self._table(sizes)[tuple(indices)]
        # A step of the odometer, taken in the disguise of another permutation, has no fixed point.
        hidden = self._feistel(sizes, list(indices), forward=True)
        for place in reversed(range(len(sizes))):
            hidden[place] = (hidden[place] + 1) % sizes[place]
            if hidden[place]:
                break
        return self._feistel(sizes, hidden, forward=False)

    def _make_table(self, sizes: tuple[int, ...]) -> dict[tuple[int, ...], tuple[int, ...]]:
        texts: list[tuple[int, ...]] = [()]
        for size in sizes:
            texts = [(*text, index) for text in texts for index in range(size)]
        texts.sort(key=lambda text: self._digest(b"table", repr((sizes, text)).encode()))
        return dict(zip(texts, [*texts[1:], texts[0]], strict=True))

    def _feistel(self, sizes: tuple[int, ...], indices: list[int], *, forward: bool) -> list[int]:
        half = len(sizes) // 2
        sides = (slice(0, half), slice(half, len(sizes)))
        tag = repr(sizes).encode()
        for number in range(_ROUNDS) if forward else reversed(range(_ROUNDS)):
            target, source = sides[number % 2], sides[1 - number % 2]
            shift = self._stream(b"%d" % number + tag, bytes(indices[source]), sizes[target])
            sign = 1 if forward else -1
            indices[target] = [
                (index + sign * step) % size
                for index, step, size in zip(indices[target], shift, sizes[target], strict=True)
            ]
        return indices

    def _stream(self, tag: bytes, text: bytes, sizes: Sequence[int]) -> list[int]:
        """One number below each size, evenly drawn by the key, the tag and the text."""
        seed = self._digest(tag, text)
        data = hashlib.shake_256(seed).digest(4 * len(sizes))
        return [
            int.from_bytes(data[4 * i : 4 * i + 4], "big") % size for i, size in enumerate(sizes)
        ]

    def _digest(self, tag: bytes, text: bytes) -> bytes:
        return hmac.digest(self._key, b"%d:%s%s" % (len(tag), tag, text), "sha256")


def _alphabet(symbol: str) -> str:
    if symbol in _LETTERS:
        return _LETTERS
    if unicodedata.category(symbol) == "Nd":
        return _DIGITS
    if symbol.islower():
        return _ACCENTED
    return _IDEOGRAPHS


def dress(value: str, symbols: str) -> str:
    """`symbols` in the clothes of `value`: its case, its blanks and its punctuation.

    symbols: as many as `value` has.
    """
    left = iter(symbols)
    out = []
    for character in value:
        for place, folded in enumerate(character.casefold()):
            if not is_symbol(folded):
                out.append(folded)
                continue
            new = next(left)
            # A letter that folds into two ("ß") must not look like the two written out.
            capital = character.isupper() or place > 0
            out.append(new.upper() if capital else new)
    return "".join(out)
