"""The writers and the janitor of a schedule on a real server. Knows no recorder and no journal.

They act one after the other, so what a step meets is known: nobody waits for a lock, because
nobody picks a row that another transaction holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.support.postgres import Production
from tests.support.schedule_sessions import INSERT, UPDATE, Frame, Session
from tests.support.schedule_truth import HISTORY, SCRATCH, TABLE_KEYS, Payload, Row, Truth
from tests.support.schedules import SESSIONS, Step

_ISOLATION = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
_IN_PLACE = tuple(name for name in TABLE_KEYS if name != HISTORY)
_OF_A_JOB = (HISTORY, "job_results", "directory_submissions")
_CAN_GO = ("directory_submissions", "job_results", "worker_status", "worker_heartbeats")
"""No other row refers to theirs."""
_FEW_WORKERS = 5
"""Names of the old workers; few, so that one is deleted and made again under the same name."""

_BURN = "DO $$ BEGIN FOR n IN 1..{} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


class World:
    """Production during one schedule. again: stops the server in this mode and starts it."""

    def __init__(
        self, production: Production, truth: Truth, *, again: Callable[[str], None] | None
    ) -> None:
        self.truth = truth
        self.refused = 0
        """Steps that the server refused, such as those that it could not serialize."""
        self._dsn = make_conninfo(production.dsn, options="-c timezone=UTC")
        self._name = production.name
        self._again = again
        self._prepared: dict[str, tuple[Frame, set[Row]]] = {}
        self._marks = 0
        self._connect()

    def act(self, step: Step) -> None:
        """Do one step of a writer or the janitor; a server's refusal ends the transaction."""
        session = self._sessions[step.session]
        act = getattr(self, "_" + step.act.replace(" ", "_"))
        try:
            act(session, step.pick)
        except psycopg.Error:
            self.refused += 1
            self._roll_back(session)

    def settle(self) -> None:
        """Let every transaction end, the prepared ones too, and the sessions be seen again."""
        for number, session in enumerate(self._sessions):
            self.act(Step("commit", number))
            if session.dark:
                self.act(Step("dark", number))
        for pick in range(len(self._prepared)):
            self.act(Step("finish prepared", 0, pick))

    def close(self) -> None:
        """End the sessions; whatever is prepared would keep its database from being dropped."""
        with suppress(psycopg.Error):
            for name in self._prepared:
                self._janitor.execute(_text(f"ROLLBACK PREPARED '{name}'"))
        self._disconnect()

    def grant(self, statement: str) -> bool:
        """Change a right; False if a transaction holds the table."""
        try:
            self._janitor.execute(_text(statement))
        except psycopg.errors.LockNotAvailable:
            return False
        return True

    def rows(self, table: str) -> dict[str, Payload]:
        """What the source itself says is there."""
        found = self._janitor.execute(_text(f"SELECT to_jsonb(t) FROM {table} AS t")).fetchall()
        return {str(row[TABLE_KEYS[table]]): row for (row,) in found}

    def _connect(self) -> None:
        self._sessions = [Session(self._dsn) for _ in range(SESSIONS)]
        self._janitor = psycopg.connect(self._dsn, autocommit=True)
        self._janitor.execute("SET synchronous_commit = on")
        self._janitor.execute("SET lock_timeout = '10ms'")

    def _disconnect(self) -> None:
        for session in self._sessions:
            session.connection.close()
        self._janitor.close()

    # What writers do.

    def _begin(self, session: Session, pick: int) -> None:
        if session.frames is None:
            isolation = _ISOLATION[pick % len(_ISOLATION)]
            session.connection.execute(_text(f"BEGIN ISOLATION LEVEL {isolation}"))
            if pick % 2:
                # It has its snapshot, and no transaction number yet.
                session.connection.execute("SELECT 1 FROM pg_class LIMIT 1")
            session.frames = [{}]

    def _insert_history(self, session: Session, pick: int) -> None:
        for number in range(1 + pick % 3):
            self._insert_into(HISTORY, session, pick + number)

    def _insert(self, session: Session, pick: int) -> None:
        self._insert_into(_IN_PLACE[pick % len(_IN_PLACE)], session, pick)

    def _insert_into(self, table: str, session: Session, pick: int) -> None:
        if table in _OF_A_JOB and self._choose("jobs", session, pick, free=False) is None:
            table = "jobs"
        values: dict[str, Any] = {"id": str(uuid.UUID(int=self._marks + 1))}
        if table == "worker_status":
            values["id"] = f"worker-{pick % _FEW_WORKERS}"
            if self._is_taken((table, values["id"]), session):
                return
        elif table == "jobs":
            values["customer"] = self._customer_without_job(session, pick)
        elif table in _OF_A_JOB:
            values["job"] = self._choose("jobs", session, pick, free=False)
        name = sql.Identifier(table)
        statement = sql.SQL(f"INSERT INTO {{}} AS t {INSERT[table]} RETURNING to_jsonb(t)")
        self._write(session, table, statement.format(name), values)

    def _update(self, session: Session, pick: int) -> None:
        table = _IN_PLACE[pick % len(_IN_PLACE)]
        key = self._choose(table, session, pick // 10)
        if key is not None:
            statement = sql.SQL(
                f"UPDATE {{}} AS t SET {UPDATE[table]} WHERE {TABLE_KEYS[table]} = %(id)s"
                " RETURNING to_jsonb(t)"
            )
            self._write(session, table, statement.format(sql.Identifier(table)), {"id": key})

    def _delete(self, session: Session, pick: int) -> None:
        table = _CAN_GO[pick % len(_CAN_GO)]
        key = self._choose(table, session, pick // 10)
        if key is not None:
            statement = _text(f"DELETE FROM {table} WHERE {TABLE_KEYS[table]} = %s")
            if session.connection.execute(statement, [key]).rowcount:
                self._note(session, (table, key), None)

    def _savepoint(self, session: Session, pick: int) -> None:
        if session.frames is not None and len(session.frames) < 4:
            session.connection.execute(_text(f"SAVEPOINT s{len(session.frames)}"))
            session.frames.append({})

    def _rollback_to(self, session: Session, pick: int) -> None:
        if session.frames is not None and len(session.frames) > 1:
            keep = 1 + pick % (len(session.frames) - 1)
            session.connection.execute(_text(f"ROLLBACK TO SAVEPOINT s{keep}"))
            # The savepoint itself stays, and what follows belongs to it.
            session.frames[keep:] = [{}]

    def _commit(self, session: Session, pick: int) -> None:
        if session.frames is None:
            return
        written = session.written()
        ended = session.connection.execute("COMMIT").statusmessage
        session.end()
        if ended == "COMMIT":
            self._committed(written)

    def _rollback(self, session: Session, pick: int) -> None:
        self._roll_back(session)

    def _prepare(self, session: Session, pick: int) -> None:
        if session.frames is None:
            return
        self._marks += 1
        name = f"{self._name}-{self._marks}"
        session.connection.execute(_text(f"PREPARE TRANSACTION '{name}'"))
        self._prepared[name] = session.written(), session.held
        session.end()

    def _finish_prepared(self, session: Session, pick: int) -> None:
        if not self._prepared or session.frames is not None:
            return
        name = list(self._prepared)[pick % len(self._prepared)]
        written, _ = self._prepared.pop(name)
        word = "ROLLBACK" if pick % 3 == 1 else "COMMIT"
        session.connection.execute(_text(f"{word} PREPARED '{name}'"))
        if word == "COMMIT":
            self._committed(written)

    def _lock(self, session: Session, pick: int) -> None:
        if session.frames is not None:
            table = _IN_PLACE[pick % len(_IN_PLACE)]
            session.connection.execute(_text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))

    def _dark(self, session: Session, pick: int) -> None:
        """It shows its activity no more, or again."""
        if session.frames is None:
            session.dark = not session.dark
            way = "off" if session.dark else "on"
            session.connection.execute(_text(f"SET track_activities = {way}"))

    # What the janitor does.

    def _vacuum(self, session: Session, pick: int) -> None:
        self._janitor.execute(_text(f"VACUUM {_table(pick)}"))

    def _vacuum_freeze(self, session: Session, pick: int) -> None:
        self._janitor.execute(_text(f"VACUUM FREEZE {_table(pick)}"))

    def _vacuum_full(self, session: Session, pick: int) -> None:
        with suppress(psycopg.errors.LockNotAvailable):
            self._janitor.execute(_text(f"VACUUM FULL {_table(pick)}"))

    def _burn(self, session: Session, pick: int) -> None:
        self._janitor.execute(_text(_BURN.format(pick)))

    def _add_column(self, session: Session, pick: int) -> None:
        self._alter(pick, f"ADD COLUMN {SCRATCH}_{pick % 3} text DEFAULT 'x'")

    def _drop_column(self, session: Session, pick: int) -> None:
        self._alter(pick, f"DROP COLUMN {SCRATCH}_{pick % 3}")

    def _rewrite(self, session: Session, pick: int) -> None:
        """Every row of the table gets a new version, though nothing in it changes."""
        table = _table(pick)
        self._marks += 1
        change = f"ADD COLUMN {SCRATCH}_r{self._marks} uuid DEFAULT gen_random_uuid()"
        if self._alter(pick, change):
            rows = {(table, key): [row] for key, row in self.truth.live(table).items()}
            self._committed(rows, silent=True)

    def _alter(self, pick: int, change: str) -> bool:
        try:
            self._janitor.execute(_text(f"ALTER TABLE {_table(pick)} {change}"))
        except (
            psycopg.errors.LockNotAvailable,
            psycopg.errors.DuplicateColumn,
            psycopg.errors.UndefinedColumn,
        ):
            return False
        return True

    def _restart(self, session: Session, pick: int) -> None:
        self._start_again("fast")

    def _crash(self, session: Session, pick: int) -> None:
        self._start_again("immediate")

    def _start_again(self, mode: str) -> None:
        if self._again is not None:
            self._disconnect()
            self._again(mode)
            self._connect()

    # What they need for it.

    def _write(
        self, session: Session, table: str, statement: sql.Composed, values: dict[str, Any]
    ) -> None:
        self._marks += 1
        values["mark"] = f"mark {self._marks}"
        answer = session.connection.execute(statement, values).fetchone()
        if answer is not None:
            self._note(session, (table, str(answer[0][TABLE_KEYS[table]])), answer[0])

    def _note(self, session: Session, row: Row, payload: Payload | None) -> None:
        if session.frames is None:
            self._committed({row: [payload]})
        else:
            session.frames[-1].setdefault(row, []).append(payload)
            session.held.add(row)

    def _committed(self, written: Frame, *, silent: bool = False) -> None:
        ((at,),) = self._janitor.execute("SELECT clock_timestamp()").fetchall()
        self.truth.commit(written, at, silent=silent)

    def _roll_back(self, session: Session) -> None:
        if session.frames is not None:
            session.end()
            session.connection.execute("ROLLBACK")

    def _is_taken(self, row: Row, session: Session) -> bool:
        """True if the row is there for this session or another transaction holds it."""
        mine = session.written()
        there = mine[row][-1] if row in mine else self.truth.live(row[0]).get(row[1])
        return there is not None or row in self._held_by_others(session)

    def _choose(self, table: str, session: Session, pick: int, *, free: bool = True) -> str | None:
        """A row that the session sees, None if there is none. free: that nobody else holds."""
        rows: dict[str, Payload | None] = dict(self.truth.live(table))
        rows |= {key: word[-1] for (name, key), word in session.written().items() if name == table}
        others = self._held_by_others(session) if free else set()
        keys = sorted(
            key
            for key, payload in rows.items()
            if payload is not None and (table, key) not in others
        )
        return keys[pick % len(keys)] if keys else None

    def _customer_without_job(self, session: Session, pick: int) -> str:
        """An old customer or, every other time and where there is none, a new one."""
        pending = [one.written() for one in self._sessions]
        pending += [written for written, _ in self._prepared.values()]
        jobs = [
            payload for written in pending for (table, _), word in written.items()
            for payload in word if table == "jobs"
        ]  # fmt: skip
        jobs += self.truth.live("jobs").values()
        served = {job["customer_id"] for job in jobs if job is not None}
        free = [
            key
            for key in sorted(self.truth.live("customers"))
            if key not in served and ("customers", key) not in self._held_by_others(session)
        ]
        if free and pick // len(_IN_PLACE) % 2:
            return free[pick % len(free)]
        customer = str(uuid.UUID(int=self._marks + 1))
        self._insert_into("customers", session, pick)
        return customer

    def _held_by_others(self, session: Session) -> set[Row]:
        held = [one.held for one in self._sessions if one is not session]
        return set().union(*held, *(rows for _, rows in self._prepared.values()))


def _table(pick: int) -> str:
    return tuple(TABLE_KEYS)[pick % len(TABLE_KEYS)]


def _text(statement: str) -> bytes:
    return statement.encode()
