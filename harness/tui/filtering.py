"""The language of the filter line: what a person typed, as terms; and its completion. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.assessment import Cluster
from harness.settings import parse_duration_s

NAMES = (
    "kind", "class", "outcome", "field", "dir", "directory", "job", "mode", "cluster", "label",
    "since",
)  # fmt: skip
"""Parts that a filter may name: ``kind:timeout``."""
DURATIONS = ("15m", "1h", "2h", "6h", "1d", "7d")
"""What ``since:`` is completed to."""
_NAMED = re.compile(r"([a-z_]+):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a filter. Every term must hold."""

    name: str | None
    """One of NAMES; None for a text that may stand anywhere."""
    wanted: str
    """In lower case."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filter line asks for."""

    terms: tuple[Term, ...]
    since_s: Mapping[str, float]
    """Seconds of each duration that a term names."""
    problems: tuple[str, ...]
    """What was not understood, in words; the rest of the line counts all the same."""


def parse_filter(text: str) -> Filter:
    """Read a filter line; an unfinished word such as ``kind:`` asks for nothing yet."""
    terms: list[Term] = []
    since_s: dict[str, float] = {}
    problems: list[str] = []
    for word in text.lower().split():
        negated = word.startswith("-") and len(word) > 1
        bare = word[1:] if negated else word
        found = _NAMED.fullmatch(bare)
        if found is None:
            terms.append(Term(None, bare, negated))
            continue
        name, wanted = found[1], found[2]
        if name not in NAMES:
            problems.append(f"{name}: names no part, so it is searched as text")
            terms.append(Term(None, bare, negated))
        elif not wanted:
            continue
        elif name != "since":
            terms.append(Term(name, wanted, negated))
        elif (seconds := _seconds(wanted)) is None:
            problems.append(f"since:{wanted} is no duration; write such as since:2h")
        else:
            since_s[wanted] = seconds
            terms.append(Term(name, wanted, negated))
    return Filter(tuple(terms), since_s, tuple(problems))


def cluster_filter(cluster: Cluster) -> str:
    """The filter that keeps exactly the differences of `cluster`."""
    return f"cluster:{cluster.id}"


def complete(text: str, values: Mapping[str, Sequence[str]]) -> str | None:
    """`text` with its last word completed; None where nothing is known that begins so.

    values: by name, what occurs, sorted and in lower case.
    """
    last = text.rpartition(" ")[2]
    minus = "-" if last.startswith("-") else ""
    bare = last[len(minus) :].lower()
    if not bare:
        return None
    name, colon, begun = bare.partition(":")
    if not colon:
        found = next((f"{one}:" for one in NAMES if one.startswith(name)), None)
    elif name == "since":
        found = next((f"since:{one}" for one in DURATIONS if one.startswith(begun)), None)
    else:
        known = values.get("directory" if name == "dir" else name, ())
        at = bisect_left(known, begun)
        hit = at < len(known) and known[at].startswith(begun)
        found = f"{name}:{known[at]}" if hit else None
    # What was typed stays as it was typed, so that the cursor does not jump.
    return f"{text}{found[len(bare) :]}" if found and len(found) > len(bare) else None


def _seconds(text: str) -> float | None:
    try:
        return parse_duration_s(text)
    except ValueError:
        return None
