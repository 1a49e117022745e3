"""Columns worked on side by side. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AT_ONCE = 2
"""Each holds a column or a few, so that more of them would take memory for little time."""
_FEW = 50_000
"""Below so many rows a thread costs more than it saves."""


def side_by_side(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, rows: int
) -> Iterator[_Result]:
    """Yield what the function makes of each item, in their order.

    Work on columns lets go of the interpreter's lock, so that threads are enough.
    rows: how many rows each item has.
    """
    if rows < _FEW:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(function, items)
