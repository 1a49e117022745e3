"""What a table shows of the differences: which, in what order, under which headings. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, overload

from harness.assessment import Cluster, Difference

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Places: TypeAlias = "npt.NDArray[np.uint32]"
"""Places in the assessment's differences, shape (n,)."""
SORTS = ("what", "directory", "field", "old", "new", "job", "mode", "newest")
"""What the table may be sorted by, besides the assessment's own order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How the table is sorted."""

    by: str | None = None
    """One of SORTS; None for the order of the assessment."""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A heading, and which of the places stand below it."""

    cluster: Cluster | None
    """None for differences that no cluster holds."""
    start: int
    shown: int

    @property
    def key(self) -> str:
        """The cluster's id; empty for no cluster."""
        return self.cluster.id if self.cluster else ""


class Among(Sequence[Difference]):
    """The chosen differences in their order; costs nothing to make, however many they are."""

    def __init__(self, differences: Sequence[Difference], places: Places) -> None:
        self._differences = differences
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Difference: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Difference]: ...
    def __getitem__(self, at: int | slice) -> Difference | Sequence[Difference]:
        if isinstance(at, slice):
            return Among(self._differences, self._places[at])
        return self._differences[int(self._places[at])]

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """Where `value` stands. By its id, which is a hundred times faster than by all it has."""
        wanted = value.id if isinstance(value, Difference) else None
        for at, place in enumerate(self._places[start:stop].tolist(), start):
            if self._differences[place].id == wanted:
                return at
        raise ValueError(f"{wanted} is not among them")

    def __iter__(self) -> Iterator[Difference]:
        return (self._differences[place] for place in self._places.tolist())


class Listing:
    """The lines of a table: differences and, if they are grouped, their headings."""

    def __init__(
        self,
        differences: Sequence[Difference],
        places: Places,
        groups: tuple[Group, ...] = (),
        folded: frozenset[str] = frozenset(),
    ) -> None:
        self.among = Among(differences, places)
        self.groups = groups
        self.folded = folded
        self._differences, self._places = differences, places
        self._starts: list[int] = []
        line = 0
        for group in groups:
            self._starts.append(line)
            line += 1 + (0 if group.key in folded else group.shown)
        self.height = line if groups else len(places)

    def fold(self, folded: frozenset[str]) -> Listing:
        """The same with other groups closed."""
        return Listing(self._differences, self._places, self.groups, folded)

    def line(self, number: int) -> Group | Difference:
        """What stands on a line, from 0. Raises IndexError beyond the last."""
        if not 0 <= number < self.height:
            raise IndexError(number)
        if not self.groups:
            return self.among[number]
        at = bisect_right(self._starts, number) - 1
        group, inside = self.groups[at], number - self._starts[at]
        return group if inside == 0 else self.among[group.start + inside - 1]

    def group_line(self, key: str) -> int | None:
        """The line of a heading; None if there is none of that key."""
        for group, start in zip(self.groups, self._starts, strict=True):
            if group.key == key:
                return start
        return None

    def line_of(self, place: int) -> int | None:
        """The line of a difference by its place, that of its heading if it is folded away."""
        found = (self._places == place).nonzero()[0]
        if not len(found):
            return None
        at = int(found[0])
        if not self.groups:
            return at
        number = bisect_right(self.groups, at, key=lambda group: group.start) - 1
        group, start = self.groups[number], self._starts[number]
        return start if group.key in self.folded else start + 1 + at - group.start
