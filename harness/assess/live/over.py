"""Why a look at a growing journal reads everything again."""

from __future__ import annotations

from enum import StrEnum


class Over(StrEnum):
    """Why a look starts over."""

    FIRST = "this is the first look"
    JOURNAL = "it is another journal"
    EARLIER = "the moment is an earlier one"
    HISTORY = "the journal has another history"
    SIGHT = "the periods in which nothing could be observed are others"
    VERSION = "another version of the candidate was deployed"
    FAILED = "the last look failed"

    @property
    def same_record(self) -> bool:
        """Whether what was found before was found in the beginning of the same record."""
        return self in (Over.SIGHT, Over.VERSION)
