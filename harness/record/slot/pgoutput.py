"""Decodes what the plugin pgoutput writes in version 1 of its protocol. Pure: no driver, no clock.

Source: the PostgreSQL documentation, "Logical Replication Message Formats".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.errors import SourceError
from harness.record.slot.changes import UNCHANGED, Change, Operation, Relation, Transaction, Value

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_IGNORED = b"YOM"
"""Type (its name; we ask the catalogue), origin, and messages that no table wrote."""
_KEY_FLAG = 1


@dataclass(frozen=True, slots=True)
class _Known:
    relation: Relation
    names: tuple[str, ...]
    key: frozenset[str]


def decode_pgoutput(
    messages: Iterable[tuple[int, bytes]], *, encoding: str = "utf-8"
) -> Iterator[Transaction]:
    """Yield the transactions of one answer of ``pg_logical_slot_peek_binary_changes``.

    messages: the transaction's 32-bit number and the message, in the answer's order. An answer
    describes each relation before it uses it, and holds whole transactions.
    Raises SourceError for a message that this version of the protocol does not have.
    """
    relations: dict[int, _Known] = {}
    changes: list[Change] = []
    for xid, data in messages:
        kind, message = data[:1], _Message(data, encoding)
        match kind:
            case b"B":
                changes = []
            case b"R":
                oid, known = _relation(message)
                relations[oid] = known
            case b"I" | b"U" | b"D":
                changes.append(_change(kind, message, relations))
            case b"T":
                count, _options = message.take(">iB")
                for _ in range(count):
                    (oid,) = message.take(">I")
                    relation = relations[oid].relation
                    changes.append(
                        Change(operation=Operation.TRUNCATE, relation=relation, new={}, old={})
                    )
            case b"C":
                _flags, _commit, end, microseconds = message.take(">BQQq")
                yield Transaction(
                    xid=xid,
                    committed_at=_EPOCH + timedelta(microseconds=microseconds),
                    end=end,
                    changes=tuple(changes),
                )
            case _ if kind not in _IGNORED:
                raise SourceError(
                    f"pgoutput sent a message of kind {kind!r}, which version 1 of its protocol "
                    'does not have. Set record.slot_plugin = "test_decoding".'
                )


class _Message:
    """Reads one message from its second byte on."""

    def __init__(self, data: bytes, encoding: str) -> None:
        self._data = data
        self._at = 1
        self._encoding = encoding

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return values

    def byte(self) -> bytes:
        self._at += 1
        return self._data[self._at - 1 : self._at]

    def name(self) -> str:
        end = self._data.index(b"\0", self._at)
        text = self._data[self._at : end].decode(self._encoding)
        self._at = end + 1
        return text

    def text(self) -> str:
        (length,) = self.take(">I")
        self._at += length
        return self._data[self._at - length : self._at].decode(self._encoding)


def _relation(message: _Message) -> tuple[int, _Known]:
    (oid,) = message.take(">I")
    # An empty name stands for the system's own schema.
    schema, name = message.name() or "pg_catalog", message.name()
    _identity, count = message.take(">cH")
    columns = {}
    key = set()
    for _ in range(count):
        (flags,) = message.take(">B")
        column = message.name()
        type_oid, modifier = message.take(">Ii")
        columns[column] = (type_oid, modifier)
        if flags & _KEY_FLAG:
            key.add(column)
    relation = Relation(schema=schema, name=name, columns=columns)
    return oid, _Known(relation, tuple(columns), frozenset(key))


def _change(kind: bytes, message: _Message, relations: dict[int, _Known]) -> Change:
    (oid,) = message.take(">I")
    known = relations[oid]
    new: dict[str, Value] = {}
    old: dict[str, Value] = {}
    part = message.byte()
    if part in (b"K", b"O"):
        old = _tuple(message, known.names)
        if part == b"K":
            # The columns outside the key are there too, as nulls that mean nothing.
            old = {name: value for name, value in old.items() if name in known.key}
        part = message.byte()
    if part == b"N":
        new = _tuple(message, known.names)
    operations = {b"I": Operation.INSERT, b"U": Operation.UPDATE, b"D": Operation.DELETE}
    return Change(operation=operations[kind], relation=known.relation, new=new, old=old)


def _tuple(message: _Message, names: tuple[str, ...]) -> dict[str, Value]:
    (count,) = message.take(">H")
    values: dict[str, Value] = {}
    for name in names[:count]:
        match message.byte():
            case b"n":
                values[name] = None
            case b"u":
                values[name] = UNCHANGED
            case _:
                values[name] = message.text()
    return values
