"""Random transactions of several sessions in one order, and every version they committed.

The truth is taken from the writers: each statement returns the row as it made it. Nothing here
waits for a lock: a row belongs to the transaction that has touched it until that is over.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.support.postgres import Production, add_job

SESSIONS = 4
_ACTS = {
    "insert": 5,
    "update": 10,
    "update nothing": 5,
    "update large": 3,
    "delete": 1,
    "history": 3,
    "job": 1,
    "savepoint": 5,
    "rollback to": 2,
    "release": 2,
    "commit": 8,
    "rollback": 1,
    "prepare": 1,
    "finish prepared": 2,
}
Fact = tuple[str, str, str]
"""Table, key and the row as JSON, or ``gone``."""
GONE = "gone"


@dataclass(slots=True)
class _Session:
    connection: psycopg.Connection[Any]
    facts: list[Fact] = field(default_factory=list)
    rows: set[str] = field(default_factory=set)
    """What it has touched in this transaction."""
    savepoints: list[int] = field(default_factory=list)
    """How many facts there were at each."""


class Writers:
    """Several sessions; `step` lets one of them do something."""

    def __init__(self, production: Production, rng: random.Random) -> None:
        self.committed: list[Fact] = []
        self.done: list[str] = []
        """What was done, to be printed."""
        self._rng = rng
        self._name = production.name
        self._stack = ExitStack()
        self._sessions = [
            _Session(self._stack.enter_context(production.connect(autocommit=False)))
            for _ in range(SESSIONS)
        ]
        self._prepared: dict[str, _Session] = {}
        self._rows: dict[str, str] = {}
        """Submissions that are there: id → job."""
        self._jobs: list[str] = []

    def __enter__(self) -> Writers:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._prepared):
            self._finish(name, commit=False)
        for session in self._sessions:
            session.connection.rollback()
        self._stack.close()

    def step(self) -> None:
        """One random act of a random session."""
        number = self._rng.randrange(SESSIONS)
        session = self._sessions[number]
        (act,) = self._rng.choices(tuple(_ACTS), weights=tuple(_ACTS.values()))
        self.done.append(f"session {number}: {act}")
        match act:
            case "insert" if self._jobs:
                self._insert(session)
            case "update" | "update nothing" | "update large" | "delete":
                self._change(session, act)
            case "history" if self._jobs:
                self._history(session)
            case "job":
                self._job(session)
            case "savepoint":
                session.connection.execute(f"SAVEPOINT s{len(session.savepoints)}".encode())
                session.savepoints.append(len(session.facts))
            case "rollback to" | "release" if session.savepoints:
                self._back(session, act)
            case "commit" | "rollback":
                self._end(session, commit=act == "commit")
            case "prepare" if session.facts and len(self._prepared) < 3:
                self._prepare(session)
            case "finish prepared" if self._prepared:
                name = self._rng.choice(sorted(self._prepared))
                self._finish(name, commit=self._rng.random() < 0.8)

    def finish(self) -> None:
        """Every transaction is committed."""
        for name in list(self._prepared):
            self._finish(name, commit=True)
        for session in self._sessions:
            self._end(session, commit=True)

    def _fact(
        self,
        session: _Session,
        table: str,
        statement: str,
        params: list[Any],
        *,
        gone: bool = False,
    ) -> str:
        query = statement.replace("{}", table)
        ((row,),) = session.connection.execute(query.encode(), params).fetchall()
        key = "worker_id" if table == "worker_status" else "id"
        session.facts.append((table, row[key], GONE if gone else json.dumps(row, sort_keys=True)))
        session.rows.add(row[key])
        return str(row[key])

    def _insert(self, session: _Session) -> None:
        job = self._rng.choice(self._jobs)
        self._fact(
            session,
            "directory_submissions",
            "INSERT INTO {} (submission_queue_id, directory_url, status, listing_data)"
            " VALUES (%s, 'https://a.example/add', '0', %s::jsonb) RETURNING to_jsonb({})",
            [job, json.dumps(self._noise(self._rng.choice((0, 12_000))))],
        )

    def _history(self, session: _Session) -> None:
        self._fact(
            session,
            "queue_history",
            "INSERT INTO {} (job_id, event, details) VALUES (%s, 'submitting', '{\"n\": 1.50}')"
            " RETURNING to_jsonb({})",
            [self._rng.choice(self._jobs)],
        )

    def _change(self, session: _Session, act: str) -> None:
        taken = {row for one in (*self._sessions, *self._prepared.values()) for row in one.rows}
        known = {row for table, row, _ in self.committed if table == "directory_submissions"}
        own = {row for table, row, _ in session.facts if table == "directory_submissions"}
        choices = sorted((known - taken) | own)
        if not choices:
            return
        row = self._rng.choice(choices)
        found = session.connection.execute(
            "SELECT 1 FROM directory_submissions WHERE id = %s", [row]
        ).fetchall()
        if not found:
            return
        changes: dict[str, tuple[str, list[Any]]] = {
            "update": ("status = %s", [str(self._rng.randrange(1000))]),
            "update nothing": ("status = status", []),
            "update large": ("listing_data = %s::jsonb", [json.dumps(self._noise(12_000))]),
        }
        if act == "delete":
            statement = "DELETE FROM {} WHERE id = %s RETURNING to_jsonb({})"
            self._fact(session, "directory_submissions", statement, [row], gone=True)
            return
        change, values = changes[act]
        statement = f"UPDATE {{}} SET {change} WHERE id = %s RETURNING to_jsonb({{}})"
        self._fact(session, "directory_submissions", statement, [*values, row])

    def _noise(self, size: int) -> str:
        """Text that does not compress, so that it is kept outside its row."""
        return self._rng.randbytes(size // 2).hex()

    def _job(self, session: _Session) -> None:
        job = add_job(session.connection)
        for table, query in (
            ("customers", "SELECT to_jsonb(c) FROM customers c, jobs j"
                          " WHERE j.id = %s AND c.customer_id = j.customer_id"),
            ("jobs", "SELECT to_jsonb(j) FROM jobs j WHERE j.id = %s"),
        ):  # fmt: skip
            ((row,),) = session.connection.execute(query.encode(), [job]).fetchall()
            session.facts.append((table, row["id"], json.dumps(row, sort_keys=True)))

    def _back(self, session: _Session, act: str) -> None:
        if act == "rollback to":
            number = self._rng.randrange(len(session.savepoints))
            session.connection.execute(f"ROLLBACK TO s{number}".encode())
            del session.facts[session.savepoints[number] :]
            # The savepoint itself stays.
            del session.savepoints[number + 1 :]
        else:
            session.connection.execute(f"RELEASE s{len(session.savepoints) - 1}".encode())
            session.savepoints.pop()

    def _end(self, session: _Session, *, commit: bool) -> None:
        if commit:
            session.connection.commit()
            self._commit(session.facts)
        else:
            session.connection.rollback()
        session.facts, session.rows, session.savepoints = [], set(), []

    def _commit(self, facts: list[Fact]) -> None:
        self.committed += facts
        self._jobs += [key for table, key, _ in facts if table == "jobs"]

    def _prepare(self, session: _Session) -> None:
        name = f"{self._name}_{len(self.done)}"
        session.connection.execute(f"PREPARE TRANSACTION '{name}'".encode())
        session.connection.commit()
        self._prepared[name] = _Session(session.connection, session.facts, session.rows)
        session.facts, session.rows, session.savepoints = [], set(), []

    def _finish(self, name: str, *, commit: bool) -> None:
        prepared = self._prepared.pop(name)
        idle = next((one for one in self._sessions if not one.facts and not one.savepoints), None)
        if idle is None:
            self._prepared[name] = prepared
            return
        idle.connection.rollback()
        idle.connection.autocommit = True
        word = "COMMIT" if commit else "ROLLBACK"
        idle.connection.execute(f"{word} PREPARED '{name}'".encode())
        idle.connection.autocommit = False
        if commit:
            self._commit(prepared.facts)


def is_subsequence(some: list[Any], everything: list[Any]) -> bool:
    """True if `some` are in `everything` in the same order."""
    rest: Iterator[Any] = iter(everything)
    return all(one in rest for one in some)
