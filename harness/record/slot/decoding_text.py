"""Parses what the plugin test_decoding writes, a text a change. Pure: no driver, no clock.

Source: the PostgreSQL documentation, "test_decoding", and what a server of version 15 answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from harness.errors import SourceError
from harness.record.slot.changes import UNCHANGED, Change, Operation, Relation, Transaction, Value

_COMMIT = re.compile(r"COMMIT \d+ \(at (?P<at>[^)]+)\)")
_CHANGE = re.compile(r"(?P<operation>INSERT|UPDATE|DELETE|TRUNCATE):", re.ASCII)
_NAME = re.compile(r'"(?:[^"]|"")*"|[^\s."\[\]:,]+')
_LITERAL = re.compile(r"B?'([^']*(?:''[^']*)*)'|([^\s']+)")
_UNCHANGED_WORD = "unchanged-toast-datum"
_OLD, _NEW, _NOTHING = "old-key:", "new-tuple:", "(no-tuple-data)"


def parse_test_decoding(messages: Iterable[tuple[int, int, str]]) -> Iterator[Transaction]:
    """Yield the transactions of one answer of ``pg_logical_slot_peek_changes``.

    messages: the transaction's 32-bit number, the position and the text, in the answer's order,
    with the option ``include-timestamp``. Columns have their type beside each value, so a relation
    knows those of its change alone. Raises SourceError for a text of another form.
    """
    changes: list[Change] = []
    for xid, position, text in messages:
        if text.startswith("BEGIN"):
            changes = []
        elif text.startswith("table "):
            changes += _parse_changes(text)
        elif (commit := _COMMIT.match(text)) is not None:
            yield Transaction(
                xid=xid,
                committed_at=datetime.fromisoformat(commit["at"]).astimezone(UTC),
                end=position,
                changes=tuple(changes),
            )
        elif not text.startswith("message:"):
            raise _unreadable(text)


def _parse_changes(text: str) -> list[Change]:
    reader = _Reader(text, at=len("table "))
    names = [reader.qualified_name()]
    while reader.skip(", "):
        names.append(reader.qualified_name())
    reader.expect(": ")
    operation = Operation(reader.match(_CHANGE)["operation"].lower())
    if operation == Operation.TRUNCATE:
        relations = [Relation(schema=schema, name=name, columns={}) for schema, name in names]
        return [Change(operation=operation, relation=one, new={}, old={}) for one in relations]
    ((schema, name),) = names
    types: dict[str, str] = {}
    old: dict[str, Value] = {}
    new: dict[str, Value] = {}
    reader.skip(" ")
    if not reader.skip(_NOTHING):
        if reader.skip(_OLD):
            old = reader.values(types)
            reader.expect(_NEW)
        new = reader.values(types)
    if operation == Operation.DELETE:
        old, new = new, {}
    relation = Relation(schema=schema, name=name, columns=types)
    return [Change(operation=operation, relation=relation, new=new, old=old)]


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, *, at: int) -> None:
        self._text = text
        self._at = at

    def skip(self, word: str) -> bool:
        """Go past `word` if it is next."""
        found = self._text.startswith(word, self._at)
        self._at += len(word) * found
        return found

    def expect(self, word: str) -> None:
        if not self.skip(word):
            raise _unreadable(self._text)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _unreadable(self._text)
        self._at = found.end()
        return found

    def name(self) -> str:
        """An identifier, without the quotes that an odd one has."""
        found = self.match(_NAME).group()
        return found[1:-1].replace('""', '"') if found.startswith('"') else found

    def qualified_name(self) -> tuple[str, str]:
        schema = self.name()
        self.expect(".")
        return schema, self.name()

    def type_name(self) -> str:
        """The text up to the bracket that closes the one just passed: a type has its own."""
        begin, depth, quoted = self._at, 1, False
        while depth and self._at < len(self._text):
            letter = self._text[self._at]
            if letter == '"':
                quoted = not quoted
            elif not quoted:
                depth += (letter == "[") - (letter == "]")
            self._at += 1
        return self._text[begin : self._at - 1]

    def values(self, types: dict[str, str]) -> dict[str, Value]:
        """Columns up to the end or the next part of the text; their types go into `types`."""
        values: dict[str, Value] = {}
        self.skip(" ")
        while self._at < len(self._text) and not self._text.startswith(_NEW, self._at):
            column = self.name()
            self.expect("[")
            types[column] = self.type_name()
            self.expect(":")
            values[column] = self._value()
            self.skip(" ")
        return values

    def _value(self) -> Value:
        found = self.match(_LITERAL)
        quoted, bare = found.groups()
        if bare is None:
            return str(quoted).replace("''", "'")
        if bare == "null":
            return None
        return UNCHANGED if bare == _UNCHANGED_WORD else str(bare)


def _unreadable(text: str) -> SourceError:
    # Not the text itself: it holds the row's values.
    return SourceError(
        f"test_decoding sent a text of {len(text)} characters in a form that is not known. "
        'Set record.slot_plugin = "pgoutput".'
    )
