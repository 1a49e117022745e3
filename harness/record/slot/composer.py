"""Makes events of decoded transactions, the same ones that a sweep would make. Knows no journal.

Which key a version gets. A sweep reads xmin, which for a row written inside a savepoint is the
savepoint's number; decoding tells only the transaction's. So for the last version of each row the
table is asked: a version that is there now gets the xmin that is there, and whatever sweep sees it
later finds its key taken. One that is not there any more is out of every later sweep's sight, so
it needs only a key of its own: the transaction's number for its last word on the row, and that
number with a place behind a dot for the words before, which nobody else ever saw.

Whether a version is the one that is there now is told by the transaction's number, else by its
content. So an update that changes nothing may be taken for the one before it. They are kept apart
by remembering which transaction got the number; only a kill between the two makes one of them.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from harness.model import EventDraft, EventKind, Source
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.introspect import Table, customer_link
from harness.record.postgres.tables import event_key, identity_of, make_event
from harness.record.slot.changes import Operation, Transaction, Unchanged, Value
from harness.record.slot.losses import SPAN, left_out, truncated
from harness.record.slot.recorded import Recorded
from harness.record.slot.row_json import CurrentRow, Json, RowReader, TextRow
from harness.record.slot.words import (
    Word,
    identities_in_place,
    is_current,
    job_customer,
    looks_like,
    place_words,
    version_key,
    words_of,
)
from harness.resources import sql_queries

CUSTOMERS = "customers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The events of some transactions, and what to remember once they are in the journal."""

    events: tuple[EventDraft, ...]
    claims: Mapping[str, int]
    linked: frozenset[str]
    told_until: Mapping[str, datetime]
    """By table that cannot be read, how far the last gap stands."""
    passed: Mapping[str, int]
    """Customers without a job that were left out, each with the transaction that wrote it."""
    awaits_customer: bool
    """Whether a job names a customer whose row is left to the next sweep."""


NOTHING_COMPOSED = Composed(
    events=(), claims={}, linked=frozenset(), told_until={}, passed={}, awaits_customer=False
)


class Composer:
    """Turns transactions into events. What it remembers is only about what was settled."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._reader = RowReader()
        self._claims: dict[str, int] = {}
        self._linked: set[str] = set()
        self._told_until: dict[str, datetime] = {}
        self._passed: dict[str, int] = {}

    def compose(
        self,
        snapshot: Snapshot,
        transactions: Sequence[tuple[int, Transaction]],
        *,
        tables: Sequence[Table],
        oldest: int,
        ask_journal: bool,
    ) -> Composed:
        """Return the events of these transactions, each visible in the snapshot, in their order.

        oldest: below it no transaction went on when they were read. ask_journal: some of them may
        be in the journal already, under the key that was right when they were read first.
        Raises SourceError, and what the journal raises.
        """
        by_name = {table.name: table for table in tables}
        lost: list[EventDraft] = []
        told_until = dict(self._told_until)
        words: list[Word] = []
        for xid, transaction in transactions:
            for change in transaction.changes:
                table = by_name.get(change.relation.name)
                if table is None or table.schema != change.relation.schema:
                    gap = left_out(
                        change.relation, transaction, xid, tables=tables, told_until=told_until
                    )
                    if gap is not None:
                        lost.append(gap)
                        told_until[change.relation.name] = gap.occurred_at + SPAN
                elif change.operation == Operation.TRUNCATE:
                    lost.append(truncated(table, transaction, xid))
                else:
                    words += words_of(table, change, transaction, xid)
        self._read(snapshot, words)
        linked: set[str] = set()
        passed: dict[str, int] = {}
        extra: list[EventDraft] = []
        left: set[str] = set()
        if (link := customer_link(tables)) is not None:
            told, linked = self._related(snapshot, words, *link)
            passed = _passed_over(words, told)
            words = told
            extra, left = self._customers(snapshot, words, by_name[CUSTOMERS], link[1], oldest)
        place_words(words)
        current = self._current(snapshot, words)
        known = self._known(words) if ask_journal else {}
        self._fill(words, current)
        claims: dict[str, int] = {}
        events = [self._event(word, current, known, claims) for word in words]
        keys = {event.key for event in events}
        events += [event for event in extra if event.key not in keys]
        return Composed(
            events=(*lost, *events),
            claims=claims,
            linked=frozenset(linked),
            told_until=told_until,
            passed=passed,
            awaits_customer=not left <= keys,
        )

    def settle(self, composed: Composed, *, oldest: int) -> None:
        """The events are in the journal. oldest: below it no transaction goes on any more."""
        self._claims |= composed.claims
        self._linked |= composed.linked
        self._told_until |= composed.told_until
        self._passed |= composed.passed
        self._passed = {one: xid for one, xid in self._passed.items() if xid >= oldest}
        self._claims = {
            key: xid
            for key, xid in self._claims.items()
            if int(key.rpartition(":")[2].split(".")[0]) >= oldest
        }

    def lacks_customer(self, keys: Collection[str], *, since: int) -> bool:
        """Whether the journal lacks a version of a customer that is among these keys.

        since: no key is of an earlier transaction. Raises what the journal raises.
        """
        wanted = {key for key in keys if key.startswith(f"{CUSTOMERS}:")}
        if not wanted:
            return False
        identities = [key.split(":", 1)[1].rpartition(":")[0] for key in wanted]
        known = self._recorded.since(CUSTOMERS, sorted(set(identities)), since)
        found = {
            f"{CUSTOMERS}:{identity}:{version.xid}"
            for identity, versions in known.items()
            for version in versions
        }
        return not wanted <= found

    def _read(self, snapshot: Snapshot, words: Sequence[Word]) -> None:
        rows = [TextRow(types=word.relation.columns, values=word.values) for word in words]
        olds = [TextRow(types=word.relation.columns, values=word.before) for word in words]
        shown = self._reader.as_json(snapshot, rows + olds)
        for word, row, old in zip(words, shown[: len(words)], shown[len(words) :], strict=True):
            word.row, word.old = row, old
            word.identity = identity_of(word.table.key, row)

    def _current(
        self, snapshot: Snapshot, words: Sequence[Word]
    ) -> dict[tuple[str, str], CurrentRow]:
        """The rows that the last words were about, as they are now."""
        asked: dict[str, dict[tuple[str | None, ...], Table]] = {}
        for word in words:
            if word.newest and not word.deleted and not word.table.spec.append_only:
                key = tuple(_sent(word.values.get(column)) for column in word.table.key)
                asked.setdefault(word.table.name, {})[key] = word.table
        found = {}
        for name, keys in asked.items():
            table = next(iter(keys.values()))
            for current in self._reader.current(snapshot, table, list(keys)):
                found[name, identity_of(table.key, current.row)] = current
        return found

    def _known(self, words: Sequence[Word]) -> dict[tuple[str, str], dict[int, Mapping[str, Any]]]:
        """The versions that the journal has of the rows changed here, by number."""
        found: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
        oldest = min((word.xid for word in words), default=0)
        for name, identities in identities_in_place(words):
            for identity, versions in self._recorded.since(name, identities, oldest).items():
                found[name, identity] = {version.xid: version.row for version in versions}
        return found

    def _fill(self, words: Sequence[Word], current: Mapping[tuple[str, str], CurrentRow]) -> None:
        """Put in the large values that an update did not touch and thus did not send.

        In this order: the table itself, for a version that is still there; the row before, where
        decoding tells it; the word before in this answer; the version that the journal has last.
        What none of them knows stays out of the row: better unknown than wrong.
        """
        latest: dict[tuple[str, str], Json] = {}
        there = {
            id(word): now.row
            for word in words
            if word.newest and (now := current.get(word.address)) and is_current(word, now)
        }
        lacking = [word for word in words if word.unsent and id(word) not in there]
        journaled = {
            (name, identity): row
            for name, identities in identities_in_place(lacking)
            for identity, row in self._recorded.newest(name, identities).items()
        }
        for word in words:
            before = latest.get(word.address)
            if before is None:
                before = dict(journaled.get(word.address, {}))
            for column in word.unsent:
                # Also when its number is taken, so that the event is not made of what is there.
                known = there.get(id(word)) or (word.old if column in word.old else before)
                if column in known:
                    word.row[column] = known[column]
            if word.deleted:
                latest.pop(word.address, None)
            else:
                latest[word.address] = word.row

    def _event(
        self,
        word: Word,
        current: Mapping[tuple[str, str], CurrentRow],
        known: Mapping[tuple[str, str], Mapping[int, Mapping[str, Any]]],
        claims: dict[str, int],
    ) -> EventDraft:
        if word.deleted:
            return _deleted(word)
        row, number = word.row, str(word.xid)
        if not word.last:
            number = f"{word.xid}.{word.place}"
        elif not word.table.spec.append_only:
            # Two updates that change nothing look alike: the first may have been taken for the
            # second and have its number. Then that is no longer to be had.
            taken = ChainMap(claims, self._claims)
            now = current.get(word.address) if word.newest else None
            versions: list[tuple[int, Mapping[str, Any]]] = []
            if now is not None:
                versions.append((now.xid, now.row))
            versions += sorted(known.get(word.address, {}).items(), key=lambda one: one[0])
            for xid, version in versions:
                if taken.get(version_key(word, xid), word.xid) != word.xid:
                    continue
                if xid == word.xid or looks_like(word, xid, version):
                    number, row = str(xid), dict(version)
                    break
            else:
                if version_key(word, word.xid) in taken:
                    number = f"{word.xid}.0"
            if number != str(word.xid):
                claims[version_key(word, number)] = word.xid
        return make_event(
            word.table.spec,
            row,
            key=version_key(word, number),
            snapshot_at=word.transaction.committed_at,
        )

    def _related(
        self, snapshot: Snapshot, words: Sequence[Word], jobs: Table, link: str
    ) -> tuple[list[Word], set[str]]:
        """Leave out the customers that no job refers to; return also those that one does."""
        mentioned = {
            str(word.row[link])
            for word in words
            if word.table.name == CUSTOMERS and word.row.get(link) is not None
        }
        linked = {job_customer(word) for word in words} - {""} | mentioned & self._linked
        if unknown := mentioned - linked:
            statement = _query("select_linked").format(
                jobs=jobs.identifier,
                links=sql.Literal(sorted(unknown)),
                type=sql.SQL(jobs.columns["customer_id"]),
            )
            linked |= {row["link"] for row in snapshot.execute(statement).fetchall()}
        gone = {word.identity for word in words if word.table.name == CUSTOMERS and word.deleted}
        recorded = set(self._recorded.newest(CUSTOMERS, sorted(gone))) if gone else set()
        kept = []
        for word in words:
            if word.table.name == CUSTOMERS and not word.deleted:
                if str(word.row.get(link)) not in linked:
                    continue
                recorded.add(word.identity)
            if word.table.name != CUSTOMERS or word.identity in recorded:
                kept.append(word)
        return kept, linked

    def _customers(
        self, snapshot: Snapshot, words: Sequence[Word], table: Table, link: str, oldest: int
    ) -> tuple[list[EventDraft], set[str]]:
        """The customers of jobs that are new here, however old their own row is.

        One that was changed just now is left to the answers that tell it, and to the next sweep:
        its earlier versions must not come after it. Unless an answer told it before a job named
        it. The keys of those that are left come back too.
        """
        new = {job_customer(word) for word in words} - {""} - self._linked
        if not new:
            return [], set()
        keyed = Table(
            spec=table.spec,
            schema=table.schema,
            columns=table.columns,
            key=(link,),
            created=None,
            touched=None,
        )
        at = words[-1].transaction.committed_at
        found, left = [], set()
        for now in self._reader.current(snapshot, keyed, [(one,) for one in sorted(new)]):
            key = event_key(table.spec, table.key, now.row, now.xid)
            if now.xid < oldest or now.xid == self._passed.get(identity_of(table.key, now.row)):
                found.append(make_event(table.spec, now.row, key=key, snapshot_at=at))
            else:
                left.add(key)
        return found, left


def _passed_over(words: Sequence[Word], kept: Sequence[Word]) -> dict[str, int]:
    """The words on customers that are not kept: each one's transaction by identity."""
    own = {id(word) for word in kept}
    return {
        word.identity: word.xid
        for word in words
        if word.table.name == CUSTOMERS and id(word) not in own
    }


def _sent(value: Value) -> str | None:
    return None if isinstance(value, Unchanged) else value


def _deleted(word: Word) -> EventDraft:
    at = word.transaction.committed_at
    again = f".{word.place}" if word.place > 1 else ""
    return EventDraft(
        source=Source.PRODUCTION,
        kind=EventKind.ROW_DELETED,
        key=f"{EventKind.ROW_DELETED}:{word.table.name}:{word.identity}:{word.xid}{again}",
        occurred_at=at,
        payload={
            "table": word.table.name,
            "identity": word.identity,
            "key": word.row,
            "not_before": at.isoformat(),
            "not_after": at.isoformat(),
            "found_by": "slot",
        },
        job_id=word.identity if word.table.spec.kind == EventKind.JOBS else None,
    )


def _query(name: str) -> sql.SQL:
    return sql.SQL(sql_queries("postgres/record/slot.sql")[name].rstrip(";"))
