"""Assessments of random content: every field has the right type and nothing else is promised."""

from __future__ import annotations

import random
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from harness.assessment import Assessment, GateResult, Interval
from harness.model import IntervalKind

_MOST = 2
"""Items of a tuple; what matters is that there is none, one or more."""
_WORDS = ("", "word", "Ümläut", "<!channel> & <b>", "a | b", "]]>", "\x1b[31m", "\x00", "\ud800",
          "::error::", "%0A", "line\nline", "&amp;", "\ufffe", "x" * 700)  # fmt: skip
_NUMBERS = (0.0, -0.0, 1.0, 0.5, -3.25, 1e-12, 1e300)
_START = datetime(1970, 1, 2, tzinfo=UTC)
Make = Callable[[random.Random], Any]


def random_assessment(seed: int) -> Assessment:
    """Any assessment that the types allow; numbers are finite, times have a zone."""
    made: Assessment = _of(Assessment)(random.Random(seed))
    return made


def _headline(chance: random.Random) -> Interval:
    """A gate takes no other kind."""
    made: Interval = _of(Interval)(chance)
    return replace(made, kind=IntervalKind.HEADLINE)


@cache
def _of(hint: Any) -> Make:
    origin, parts = get_origin(hint), get_args(hint)
    simple: dict[Any, Make] = {
        str: lambda chance: chance.choice(_WORDS),
        int: lambda chance: chance.choice((0, 1, 2, chance.randrange(10**9))),
        bool: lambda chance: chance.random() < 0.5,
        float: lambda chance: chance.choice((*_NUMBERS, chance.random())),
        datetime: lambda chance: _START + timedelta(microseconds=chance.randrange(10**16)),
        types.NoneType: lambda chance: None,
    }
    if hint in simple:
        return simple[hint]
    if origin in (types.UnionType, Union):
        kinds = [_of(part) for part in parts]
        return lambda chance: chance.choice(kinds)(chance)
    if origin is tuple and parts[1:] == (...,):
        item = _of(parts[0])
        return lambda chance: tuple(item(chance) for _ in range(chance.randint(0, _MOST)))
    if origin is tuple:
        items = [_of(part) for part in parts]
        return lambda chance: tuple(one(chance) for one in items)
    if origin is Literal:
        return lambda chance: chance.choice(parts)
    if origin is not None and issubclass(origin, Mapping):
        key, value = map(_of, parts)
        return lambda chance: {key(chance): value(chance) for _ in range(_MOST)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda chance: chance.choice(list(hint))
    assert is_dataclass(hint), hint
    hints = get_type_hints(hint)
    makers = {item.name: _of(hints[item.name]) for item in fields(hint)}
    if hint is GateResult:
        makers["interval"] = lambda chance: chance.choice((None, _headline(chance)))
    return lambda chance: hint(**{name: make(chance) for name, make in makers.items()})
