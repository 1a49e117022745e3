"""What a transaction said of a row, and its place among the other words on it. Pure: no driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.model import EventKind
from harness.record.postgres.introspect import Table
from harness.record.slot.changes import Change, Operation, Relation, Transaction, Unchanged, Value
from harness.record.slot.row_json import CurrentRow, Json


@dataclass(slots=True)
class Word:
    """What a transaction said of a row."""

    table: Table
    transaction: Transaction
    xid: int
    values: Mapping[str, Value]
    """The row as it became, or the key of the one that is gone."""
    relation: Relation
    before: Mapping[str, Value] = field(default_factory=dict)
    deleted: bool = False
    row: Json = field(default_factory=dict)
    old: Json = field(default_factory=dict)
    identity: str = ""
    place: int = 0
    """Place among the transaction's words of this kind on this row, from 1."""
    last: bool = False
    """The transaction's last word on the row."""
    newest: bool = False
    """The last word of all on the row."""

    @property
    def address(self) -> tuple[str, str]:
        return self.table.name, self.identity

    @property
    def unsent(self) -> list[str]:
        return [name for name, value in self.values.items() if isinstance(value, Unchanged)]


def words_of(table: Table, change: Change, transaction: Transaction, xid: int) -> Iterator[Word]:
    """Yield what a change says: of one row, or of two where the key itself was changed."""
    key = {name: change.old[name] for name in table.key if name in change.old}
    moved = change.operation == Operation.UPDATE and any(
        value != change.new.get(name) for name, value in key.items()
    )
    # Without a replica identity (test_decoding alone gets that far) nobody knows which row it was;
    # the comparison with the source finds that it is gone.
    if (change.operation == Operation.DELETE or moved) and len(key) == len(table.key):
        yield Word(table, transaction, xid, key, change.relation, deleted=True)
    if change.new:
        yield Word(table, transaction, xid, change.new, change.relation, before=change.old)


def place_words(words: Sequence[Word]) -> None:
    """Number the words of each transaction on each row, and find the last ones."""
    counts: dict[tuple[object, ...], int] = {}
    of_transaction: set[tuple[object, ...]] = set()
    of_all: set[tuple[object, ...]] = set()
    for word in words:
        counted = (*word.address, word.xid, word.deleted)
        word.place = counts[counted] = counts.get(counted, 0) + 1
    for word in reversed(words):
        word.last = (*word.address, word.xid) not in of_transaction
        word.newest = word.address not in of_all
        of_transaction.add((*word.address, word.xid))
        of_all.add(word.address)


def is_current(word: Word, now: CurrentRow | None) -> bool:
    """The transaction's own number on the row: its last word is what is there."""
    return now is not None and now.xid == word.xid


def looks_like(word: Word, xid: int, row: Mapping[str, Any]) -> bool:
    """True if a savepoint of the transaction may have written this version."""
    # A savepoint has a higher number than its transaction.
    return xid > word.xid and all(
        row[name] == value for name, value in word.row.items() if name in row
    )


def identities_in_place(words: Iterable[Word]) -> list[tuple[str, list[str]]]:
    """The rows that change in place, by table."""
    found: dict[str, set[str]] = {}
    for word in words:
        if not word.deleted and not word.table.spec.append_only:
            found.setdefault(word.table.name, set()).add(word.identity)
    return [(name, sorted(identities)) for name, identities in found.items()]


def job_customer(word: Word) -> str:
    """The customer that a job's new version refers to; empty if it is no such word."""
    if word.table.spec.kind != EventKind.JOBS or word.deleted:
        return ""
    return str(word.row.get("customer_id") or "")


def version_key(word: Word, number: int | str) -> str:
    name = f"{word.table.name}:{word.identity}"
    return name if word.table.spec.append_only else f"{name}:{number}"
