"""What was committed, and whether a record of it is true. No database, no journal.

The truth is not read from the source: it is what the writers did, transaction by transaction, so
that it has the versions too that have been overwritten since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.load import KEYS

HISTORY = "queue_history"
TABLE_KEYS = KEYS | {HISTORY: "id"}
SCRATCH = "scratch"
"""Columns that the janitor adds have names that begin like this; an old row is not written anew
because a column was added, so its record need not have it."""

Row = tuple[str, str]
"""Table and key."""
Payload = Mapping[str, Any]
Writes = Mapping[Row, Sequence[Payload | None]]
"""What a transaction made of each of its rows, one after the other; None for a deleted one."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a transaction made of a row."""

    payload: Payload | None
    by: datetime
    """It was committed no later than this, by the source's clock."""
    passing: bool
    """The same transaction overwrote it: no snapshot ever showed it, only the log did."""
    silent: bool = False
    """The janitor wrote the row anew as it was: the log does not tell that."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of the journal, in its order; without a payload it tells that the row is gone."""

    table: str
    key: str
    payload: Payload | None

    @property
    def row(self) -> Row:
        """The row that it is about."""
        return self.table, self.key


@dataclass(slots=True)
class Truth:
    """Every committed version of every row, in the order of the commits."""

    from_log: bool = False
    """The recorder reads the log and not snapshots, so it sees passing versions too."""
    versions: dict[Row, list[Version]] = field(default_factory=dict)

    def commit(self, writes: Writes, by: datetime, *, silent: bool = False) -> None:
        """A transaction has ended well."""
        for row, payloads in writes.items():
            self.versions.setdefault(row, []).extend(
                Version(payload, by, passing=number < len(payloads), silent=silent)
                for number, payload in enumerate(payloads, 1)
            )

    def live(self, table: str) -> dict[str, Payload]:
        """The rows that are there now, by key."""
        return {
            key: versions[-1].payload
            for (name, key), versions in self.versions.items()
            if name == table and versions[-1].payload is not None
        }

    def false_claims(
        self, record: Sequence[Recorded], tables: Iterable[str], complete_until: datetime
    ) -> list[str]:
        """What had been committed by then and is not in the record, of the tables that are named.

        A version that was overwritten meanwhile is excused by the one that overwrote it, and a row
        that is deleted by now has nothing to show.
        """
        named = set(tables)
        known = self.last_known(record)
        linked = self._linked(complete_until)
        problems = []
        for (table, key), versions in self.versions.items():
            if table not in named or versions[-1].payload is None:
                continue
            due = [n for n, version in enumerate(versions) if version.by <= complete_until]
            if not due or versions[due[-1]].payload is None:
                continue
            if table == "customers" and _customer(versions[due[-1]].payload) not in linked:
                continue
            if known.get((table, key), -1) < due[-1]:
                problems.append(
                    f"{table} is said to be complete until {complete_until:%H:%M:%S.%f}, and the "
                    f"version of {key} of {versions[due[-1]].by:%H:%M:%S.%f} is not recorded"
                )
        return problems

    def false_records(self, record: Sequence[Recorded]) -> list[str]:
        """What is recorded and was never committed, twice, or in another order."""
        problems = []
        at: dict[Row, int] = {}
        for event in record:
            if event.payload is None:
                continue
            number = self._place(event, after=at.get(event.row, -1))
            if number is not None:
                at[event.row] = number
            elif self._place(event, after=-1) is not None:
                problems.append(
                    f"{event.table} {event.row[1]}: recorded twice, or after a later one"
                )
            else:
                problems.append(f"{event.table} {event.row[1]}: was never committed like this")
        return problems

    def missing(self, record: Sequence[Recorded], tables: Iterable[str]) -> list[str]:
        """Rows of these tables whose last committed version is not the last recorded one."""
        known = self.last_known(record)
        linked = self._linked(None)
        return [
            f"{table} {key}: its last version is not recorded"
            for (table, key), versions in self.versions.items()
            if table in tables
            and versions[-1].payload is not None
            and (table != "customers" or _customer(versions[-1].payload) in linked)
            and known.get((table, key)) != len(versions) - 1
        ]

    def false_deletes(self, record: Sequence[Recorded]) -> list[str]:
        """Rows that are gone and not recorded so, or too often, or that are there after all."""
        told = Counter(event.row for event in record if event.payload is None)
        last = {event.row: event.payload is None for event in record}
        problems = []
        for row, gone in last.items():
            versions = self.versions.get(row, [])
            is_gone = bool(versions) and versions[-1].payload is None
            if gone != is_gone:
                problems.append(f"{row[0]} {row[1]}: recorded as {'gone' if gone else 'there'}")
            deletes = sum(version.payload is None for version in versions)
            if told[row] > deletes:
                problems.append(f"{row[0]} {row[1]}: gone {told[row]} times of {deletes}")
        return problems

    def unseen_versions(self, record: Sequence[Recorded]) -> int:
        """How many committed versions the record does not have; from the log it has them all."""
        seen: dict[Row, set[int]] = {}
        for event in record:
            seen.setdefault(event.row, set()).update(self._places(event))
        return sum(
            version.payload is not None and not version.silent
            and number not in seen.get((table, key), set())
            and (table != "customers" or self._was_ours(version))
            for (table, key), versions in self.versions.items()
            for number, version in enumerate(versions)
        )  # fmt: skip

    def _was_ours(self, version: Version) -> bool:
        """Whether a job named the customer when this version was committed.

        An older version is not the log's to tell: the row is read once a job names it, and then
        another version may stand there.
        """
        return _customer(version.payload) in self._linked(version.by)

    def last_known(self, record: Sequence[Recorded]) -> dict[Row, int]:
        """The number of the newest recorded version of each row, from 0."""
        known: dict[Row, int] = {}
        for event in record:
            if event.payload is not None:
                places = self._places(event)
                known[event.row] = max([known.get(event.row, -1), *places])
        return known

    def _place(self, event: Recorded, *, after: int) -> int | None:
        """The first committed version after that one which looks like the event."""
        return next((number for number in self._places(event) if number > after), None)

    def _places(self, event: Recorded) -> list[int]:
        """More than one where the janitor wrote a table anew and changed nothing in its rows."""
        return [
            number
            for number, version in enumerate(self.versions.get(event.row, ()))
            if version.payload is not None
            and event.payload is not None
            and (self.from_log or not version.passing)
            and same(version.payload, event.payload)
        ]

    def _linked(self, until: datetime | None) -> set[Any]:
        """The customers that a committed job names."""
        return {
            version.payload["customer_id"]
            for (table, _), versions in self.versions.items()
            for version in versions
            if table == "jobs"
            and version.payload is not None
            and (until is None or version.by <= until)
        }


def same(one: Payload, other: Payload) -> bool:
    """True if two pictures of a row agree in all but the janitor's columns."""
    return _plain(one) == _plain(other)


def _plain(payload: Payload) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if not name.startswith(SCRATCH)}


def _customer(payload: Payload | None) -> Any:
    return payload["customer_id"] if payload else None
