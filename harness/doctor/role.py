"""Examines the role: it may read and see other sessions, and it should not be able to write."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from harness.doctor import elsewhere
from harness.doctor.check import Findings, Subject
from harness.doctor.connection import Reached
from harness.doctor.plan import Plan, literal, quoted, role_script
from harness.record.postgres.horizon import read_horizon
from harness.resources import sql_queries

RECORDER_ROLE = "shadow_recorder"
SESSIONS_NEEDED = 2
"""One records; the doctor, or the recorder's own reconnecting, is a second."""


def examine_role(plan: Plan, reached: Reached) -> Findings:
    """Look at the role's rights. Raises SourceError if the server stops answering."""
    found = Findings(Subject.ROLE)
    _judge_writing(plan, reached, found)
    _judge_limit(reached, found)
    _judge_schema(plan, reached, found)
    _judge_sight(reached, found)
    return found


def _judge_writing(plan: Plan, reached: Reached, found: Findings) -> None:
    who = quoted(reached.role)
    if reached.session["superuser"]:
        found.look(
            "reads only",
            f"{reached.role} is a superuser; the recorder needs a role that reads and no more",
            f"Let there be one, give it a password with \\password {RECORDER_ROLE} in psql, and "
            "connect as it.",
            sql=role_script(
                RECORDER_ROLE,
                plan.schema,
                str(reached.session["database"]),
                exists=bool(_rows(reached, "select_role", {"role": RECORDER_ROLE})),
            ),
            shell=[plan.export_with(user=RECORDER_ROLE)],
        )
        return
    names = [row["name"] for row in _rows(reached, "select_writable", _names(plan))]
    if names:
        tables = ", ".join(quoted(plan.schema, name) for name in names)
        found.look(
            "reads only",
            f"{reached.role} may change {', '.join(names)}; the recorder never does",
            "Take the right away, unless this role has other work.",
            sql=[f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {tables} FROM {who};"],
        )
    elif reached.session["reads_by_default"] != "on":
        found.look(
            "reads only",
            f"{reached.role} may write to none of the tables, but its sessions begin read-write",
            "A second lock on the same door.",
            sql=[f"ALTER ROLE {who} SET default_transaction_read_only = on;"],
        )
    else:
        found.ok("reads only", f"{reached.role} may write to none of the tables")


def _judge_limit(reached: Reached, found: Findings) -> None:
    limit, used = int(reached.session["connection_limit"]), int(reached.session["sessions"])
    if 0 <= limit < SESSIONS_NEEDED or 0 <= limit < used:
        found.look(
            "connections",
            f"{reached.role} may have {limit} and has {used}: a recorder that is cut off could "
            "not come back before the server has noticed",
            "Raise the limit.",
            sql=[f"ALTER ROLE {quoted(reached.role)} CONNECTION LIMIT 8;"],
        )
    else:
        bound = "any number" if limit < 0 else str(limit)
        found.ok("connections", f"{reached.role} may have {bound} and has {used}; one records")


def _judge_schema(plan: Plan, reached: Reached, found: Findings) -> None:
    rows = _rows(reached, "select_schema", {"schema": plan.schema})
    if not rows:
        with reached.connection.snapshot() as snapshot:
            others = list(elsewhere.schemas(snapshot, plan))
        known = f"; tables of these names are in {', '.join(others)}" if others else ""
        found.missing(
            "schema",
            f"there is no schema {plan.schema}{known}",
            "Name the one that holds the tables, here and for shadow record.",
            shell=[f"shadow doctor --schema {shlex.quote(others[0] if others else 'public')}"],
        )
    elif not rows[0]["usable"]:
        schema, who = quoted(plan.schema), quoted(reached.role)
        found.missing(
            "schema",
            f"{reached.role} may not look into schema {plan.schema}",
            "Let it.",
            sql=[f"GRANT USAGE ON SCHEMA {schema} TO {who};"],
        )
    else:
        found.ok("schema", f"{plan.schema} may be looked into")


def _judge_sight(reached: Reached, found: Findings) -> None:
    """Whether the fast tier proves anything, by the recorder's own look at other sessions."""
    horizon = read_horizon(reached.connection, previous=None)
    name = "other sessions"
    if horizon.held is None:
        found.ok(name, "their transactions are visible, so the fast tier proves what it finds")
        return
    effect = f"{horizon.held}; until then only sweeps prove the record complete"
    prepared = _rows(reached, "select_prepared", {})
    untracked = [str(row["role"]) for row in _rows(reached, "select_untracked", {})]
    if "pg_read_all_stats" in horizon.held:
        who = quoted(reached.role)
        found.look(
            name,
            effect,
            "Let the role see them.",
            sql=[f"GRANT pg_read_all_stats TO {who};"],
        )
    elif untracked:
        found.look(
            name,
            effect,
            f"Sessions of {', '.join(untracked)} hide them; let new ones show them again.",
            sql=[f"ALTER ROLE {quoted(role)} RESET track_activities;" for role in untracked],
        )
    elif prepared:
        found.look(name, effect, _prepared_mend(prepared))
    else:
        found.look(name, effect, "Point SHADOW_DSN at the primary.")


def _prepared_mend(prepared: Sequence[Mapping[str, Any]]) -> str:
    """Text, not SQL: whether to commit or to roll back is the owner's to know."""
    oldest = prepared[0]
    gid = literal(str(oldest["gid"]))
    return (
        f"The oldest of {len(prepared)} was prepared by {oldest['owner']} at "
        f"{oldest['prepared']:%Y-%m-%d %H:%M:%S} UTC. If its coordinator has forgotten it, end it "
        f"as its owner: COMMIT PREPARED {gid}; or ROLLBACK PREPARED {gid};"
    )


def _names(plan: Plan) -> dict[str, object]:
    return {"schema": plan.schema, "names": plan.table_names}


def _rows(reached: Reached, name: str, params: Mapping[str, Any]) -> list[Any]:
    query = sql_queries("postgres/doctor/session.sql")[name].encode()
    with reached.connection.snapshot() as snapshot:
        return snapshot.execute(query, params or None).fetchall()
