"""The decoder of pgoutput: what a server sends, byte by byte, and what it never says."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from harness.errors import SourceError
from harness.record.postgres.standing import format_lsn
from harness.record.slot.changes import UNCHANGED, Operation, Transaction, Value
from harness.record.slot.pgoutput import decode_pgoutput

AT = datetime(2026, 11, 24, 18, 8, 24, 648707, tzinfo=UTC)
COLUMNS = (("id", 2950, -1, True), ("status", 25, -1, False), ("tags", 1009, -1, False))


def name(text: str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding) + b"\0"


def relation(oid: int = 7, table: str = "jobs", schema: str = "public") -> bytes:
    columns = b"".join(
        struct.pack(">B", key) + name(column) + struct.pack(">Ii", kind, modifier)
        for column, kind, modifier, key in COLUMNS
    )
    head = b"R" + struct.pack(">I", oid) + name(schema) + name(table)
    return head + struct.pack(">cH", b"d", len(COLUMNS)) + columns


def values(row: Sequence[Value], encoding: str = "utf-8") -> bytes:
    parts = [struct.pack(">H", len(row))]
    for value in row:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, str):
            text = value.encode(encoding)
            parts.append(b"t" + struct.pack(">I", len(text)) + text)
        else:
            parts.append(b"u")
    return b"".join(parts)


def change(kind: bytes, *parts: bytes, oid: int = 7) -> bytes:
    return kind + struct.pack(">I", oid) + b"".join(parts)


def transaction(*messages: bytes, xid: int = 757) -> list[tuple[int, bytes]]:
    microseconds = round((AT - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    begin = b"B" + struct.pack(">QqI", 0x17AB038, microseconds, xid)
    commit = b"C" + struct.pack(">BQQq", 0, 0x17AB038, 0x17AB068, microseconds)
    return [(xid, message) for message in (begin, *messages, commit)]


def decode_one(*messages: bytes) -> Transaction:
    (found,) = decode_pgoutput(transaction(*messages))
    return found


def test_what_a_server_of_version_18_sent_is_read_to_the_last_bit() -> None:
    recorded = [
        (757, b"B\0\0\0\0\x01z\xb08\0\x03\x04\x08]y\xde/\0\0\x02\xf5"),
        (
            757,
            b"R\0\0@\x01public\0worker_status\0d\0\x02\x01worker_id\0\0\0\0\x19\xff\xff\xff\xff"
            b"\0last_heartbeat\0\0\0\x04\xa0\xff\xff\xff\xff",
        ),
        (757, b"I\0\0@\x01N\0\x02t\0\0\0\x03w-1t\0\0\0\x1d2026-11-24 18:08:24.648706+00"),
        (757, b"C\0\0\0\0\0\x01z\xb08\0\0\0\0\x01z\xb0h\0\x03\x04\x08]y\xde/"),
    ]
    (found,) = decode_pgoutput(recorded)
    assert (found.xid, format_lsn(found.end)) == (757, "0/17AB068")
    # Its next transaction began 0.1 ms later, by its own clock.
    assert found.committed_at == datetime(2026, 11, 24, 18, 8, 24, 649263, tzinfo=UTC)
    (row,) = found.changes
    assert (row.relation.schema, row.relation.name) == ("public", "worker_status")
    assert row.relation.columns == {"worker_id": (25, -1), "last_heartbeat": (1184, -1)}
    assert row.new == {"worker_id": "w-1", "last_heartbeat": "2026-11-24 18:08:24.648706+00"}


def test_null_empty_and_unsent_values_are_three_different_things() -> None:
    found = decode_one(
        relation(),
        change(b"I", b"N", values(["a", None, ""])),
        change(b"U", b"N", values(["a", "ü" * 3, UNCHANGED])),
    )
    inserted, updated = found.changes
    assert inserted.new == {"id": "a", "status": None, "tags": ""}
    assert updated.operation == Operation.UPDATE
    assert updated.new == {"id": "a", "status": "üüü", "tags": UNCHANGED}


def test_of_an_old_key_only_the_columns_of_the_key_count() -> None:
    found = decode_one(
        relation(),
        change(b"U", b"K", values(["a", None, None]), b"N", values(["b", "x", "{}"])),
        change(b"D", b"K", values(["b", None, None])),
        change(b"D", b"O", values(["c", None, "{1}"])),
    )
    moved, deleted, whole = found.changes
    assert (moved.old, moved.new["id"]) == ({"id": "a"}, "b")
    assert (deleted.operation, deleted.old, deleted.new) == (Operation.DELETE, {"id": "b"}, {})
    assert whole.old == {"id": "c", "status": None, "tags": "{1}"}


def test_truncate_names_every_table() -> None:
    truncate = b"T" + struct.pack(">iBII", 2, 1, 7, 8)
    found = decode_one(relation(7, "jobs"), relation(8, "customers"), truncate)
    assert [(one.operation, one.relation.name) for one in found.changes] == [
        (Operation.TRUNCATE, "jobs"),
        (Operation.TRUNCATE, "customers"),
    ]


def test_each_transaction_has_its_own_changes_and_the_newest_shape_of_a_table() -> None:
    other = relation().replace(b"status", b"stytus")
    messages = [
        *transaction(relation(), change(b"I", b"N", values(["a", "x", None])), xid=5),
        *transaction(xid=6),
        *transaction(other, change(b"I", b"N", values(["b", "y", None])), xid=7),
    ]
    found = list(decode_pgoutput(messages))
    assert [(one.xid, len(one.changes)) for one in found] == [(5, 1), (6, 0), (7, 1)]
    assert found[2].changes[0].new == {"id": "b", "stytus": "y", "tags": None}


def test_types_origins_and_messages_are_passed_over() -> None:
    others = [b"Y\0\0\0\x01public\0mood\0", b"O" + b"\0" * 8 + b"o\0", b"M\0"]
    assert decode_one(*others, relation()).changes == ()


def test_text_comes_in_the_encoding_of_the_session() -> None:
    row = change(b"I", b"N", values(["a", "Bäckerei", None], "latin-1"))
    (found,) = decode_pgoutput(transaction(relation(), row), encoding="latin-1")
    assert found.changes[0].new["status"] == "Bäckerei"


def test_a_message_of_a_later_protocol_is_an_error_with_a_mend() -> None:
    with pytest.raises(SourceError, match=r"kind b'S'.*test_decoding"):
        decode_one(b"S\0\0\0\x01\x01")
