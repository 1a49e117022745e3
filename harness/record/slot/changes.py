"""What logical decoding tells: transactions in the order of their commits. No driver, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias


class Unchanged(Enum):
    """The one mark that stands for a value which the server did not send."""

    UNCHANGED = "unchanged"
    """A large value kept outside the row, which the update did not touch."""


UNCHANGED: Final = Unchanged.UNCHANGED
Value: TypeAlias = str | Unchanged | None
"""A column's value as the type's output function writes it."""
TypeName: TypeAlias = str | tuple[int, int]
"""A type as SQL writes it, or its oid and modifier."""


class Operation(Enum):
    """What happened to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    TRUNCATE = "truncate"
    """Every row is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table as it was when the change was made."""

    schema: str
    name: str
    columns: Mapping[str, TypeName]
    """Empty where the plugin does not tell them apart from a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row's change."""

    operation: Operation
    relation: Relation
    new: Mapping[str, Value]
    """The row afterwards; empty for DELETE and TRUNCATE."""
    old: Mapping[str, Value]
    """What is told of the row before: nothing, its key if that changed or the row is gone, or all
    of it under REPLICA IDENTITY FULL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A committed transaction; one that was rolled back is never told."""

    xid: int
    """32 bits of the top-level transaction. A row version that was written inside a savepoint
    carries another number as its xmin, which decoding does not tell."""
    committed_at: datetime
    end: int
    """Position in the log behind the commit."""
    changes: tuple[Change, ...]
