"""Marks what changed between two texts, never inside what a reader sees as one character. Pure.

In plain text ``[-…-]`` stands around what only the first text has and ``{+…+}`` around what only
the second has. A backslash stands before what would else look like a mark or a backslash.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_ALIGNED = 600
"""Beyond this many differing characters the whole middle is marked: aligning costs its square."""
_JOINER = "\u200d"
_MARKS = re.compile(r"\\|\[-|-\]|\{\+|\+\}")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of both texts (`same`), or what each of them has in its place."""

    control: str
    candidate: str
    same: bool
    """Whether both have it, and it does not stand for something hidden."""


def graphemes(text: str) -> list[str]:
    """`text` in user-perceived characters; joined they give it back.

    Marks, variation selectors, skin tones and joined signs stay with what they change, flags with
    their other half, jamo with their syllable, and a line feed with its carriage return.
    """
    found: list[str] = []
    for char in text:
        if found and _joins(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return found


def parts(control: str, candidate: str, *, never_same: str = "") -> tuple[Part, ...]:
    """Both texts in alternating pieces; the sides of all pieces joined give them back.

    never_same: characters that count as different even where both texts have them, such as the sign
    that stands for any differing letter of a masked value.
    """
    left, right = graphemes(control), graphemes(candidate)
    hidden = set(never_same)
    one = [(piece, 0) if hidden.isdisjoint(piece) else (piece, 1) for piece in left]
    other = [(piece, 0) if hidden.isdisjoint(piece) else (piece, 2) for piece in right]
    return tuple(
        Part("".join(left[a:b]), "".join(right[c:d]), one[a:b] == other[c:d])
        for a, b, c, d in _blocks(one, other)
    )


def marked(control: str, candidate: str, *, never_same: str = "") -> str:
    """One text with both, ``(202) 555-01[-77-]{+42+}``."""
    shown = []
    for part in parts(control, candidate, never_same=never_same):
        if part.same:
            shown.append(_escaped(part.control))
            continue
        shown.append(f"[-{_escaped(part.control)}-]" if part.control else "")
        shown.append(f"{{+{_escaped(part.candidate)}+}}" if part.candidate else "")
    return "".join(shown)


def unmarked(text: str) -> tuple[str, str]:
    """Both texts that `marked` was given."""
    sides: tuple[list[str], list[str]] = ([], [])
    writing, marks = _BOTH, _OPENING
    position = 0
    while position < len(text):
        two = text[position : position + 2]
        if two in marks:
            writing, marks = marks[two]
            position += 2
            continue
        position += text[position] == "\\"
        for side in writing:
            sides[side].append(text[position])
        position += 1
    return "".join(sides[0]), "".join(sides[1])


_BOTH: tuple[int, ...] = (0, 1)
_Marks = dict[str, tuple[tuple[int, ...], "_Marks"]]
_OPENING: _Marks = {}
_OPENING |= {"[-": ((0,), {"-]": (_BOTH, _OPENING)}), "{+": ((1,), {"+}": (_BOTH, _OPENING)})}
"""Per mark that counts now, which sides are written after it and which marks count then."""


def _escaped(text: str) -> str:
    return _MARKS.sub(lambda found: "\\" + found[0], text)


def _blocks(
    one: Sequence[tuple[str, int]], other: Sequence[tuple[str, int]]
) -> list[tuple[int, int, int, int]]:
    start = 0
    least = min(len(one), len(other))
    while start < least and one[start] == other[start]:
        start += 1
    end = 0
    while end < least - start and one[-1 - end] == other[-1 - end]:
        end += 1
    a, b = one[start : len(one) - end], other[start : len(other) - end]
    blocks = [(0, start, 0, start)]
    if max(len(a), len(b)) > MOST_ALIGNED:
        blocks.append((start, start + len(a), start, start + len(b)))
    else:
        for _, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            blocks.append((start + i, start + j, start + k, start + m))
    blocks.append((len(one) - end, len(one), len(other) - end, len(other)))
    return [block for block in blocks if block[0] < block[1] or block[2] < block[3]]


def _joins(before: str, char: str) -> bool:
    last = before[-1]
    if last == "\r" and char == "\n":
        return True
    if last in "\r\n":
        return False
    if last == _JOINER or char == _JOINER or unicodedata.category(char).startswith("M"):
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    if _is_flag_half(char):
        return len(before) % 2 == 1 and all(map(_is_flag_half, before))
    return _jamo(last) in _JAMO_BEFORE.get(_jamo(char), "")


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


_JAMO_BEFORE = {"V": "LVS", "T": "VTS"}
"""Vowels follow a leading consonant or a vowel, final consonants a vowel or a whole syllable."""


def _jamo(char: str) -> str:
    for name, low, high in (
        ("L", "\u1100", "\u115f"), ("V", "\u1160", "\u11a7"), ("T", "\u11a8", "\u11ff"),
        ("S", "\uac00", "\ud7a3"),
    ):  # fmt: skip
        if low <= char <= high:
            return name
    return "-"
