"""Examines what slot mode needs, and whether a slot was left behind where it is not used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.doctor.check import Findings, Status, Subject
from harness.doctor.connection import Reached
from harness.doctor.plan import Plan, literal, quoted
from harness.errors import SourceError
from harness.record.postgres.introspect import read_tables
from harness.record.slot.replication_slot import ReplicationSlot, SlotOptions
from harness.resources import sql_queries


def examine_slot(plan: Plan, reached: Reached) -> Findings:
    """Look at the slot, its publication and what the server allows. Raises SourceError."""
    found = Findings(Subject.SLOT)
    own = _rows(reached, "select_slot", {"slot": plan.settings.record.slot})
    if plan.settings.record.mode == "poll":
        _judge_left_behind(plan, own, found)
        return found
    _judge_server(reached, found)
    _judge_right(reached, found)
    if own:
        _judge_slot(plan, own[0], found)
    else:
        _judge_room(plan, reached, found)
    _judge_tables(plan, reached, found)
    if all(check.status is not Status.FAIL for check in found.checks):
        _ask_recorder(plan, reached, found)
    return found


def _judge_left_behind(plan: Plan, own: Sequence[Any], found: Findings) -> None:
    name = plan.settings.record.slot
    if not own:
        found.not_asked("slot", 'record.mode is "poll", which needs none')
        return
    kept = own[0]["kept_mb"]
    found.look(
        "slot",
        f'a slot {name} exists though record.mode is "poll"; it keeps {_mb(kept)} of the log and '
        "will fill production's disk",
        "Drop it, unless another recorder uses it.",
        sql=[f"SELECT pg_drop_replication_slot({literal(name)});"],
    )


def _judge_server(reached: Reached, found: Findings) -> None:
    level = str(reached.session["wal_level"])
    if level == "logical":
        found.ok("wal_level", "logical")
    else:
        found.missing(
            "wal_level",
            f"{level}: the log does not tell rows",
            'Set it and restart the server; or record with record.mode = "poll", which needs '
            "neither.",
            sql=["ALTER SYSTEM SET wal_level = 'logical';"],
            shell=["export SHADOW_RECORD_MODE=poll"],
        )


def _judge_right(reached: Reached, found: Findings) -> None:
    if reached.session["replication"] or reached.session["superuser"]:
        found.ok("right", f"{reached.role} may use replication slots")
    else:
        found.missing(
            "right",
            f"{reached.role} may not use replication slots",
            "Let it.",
            sql=[f"ALTER ROLE {quoted(reached.role)} REPLICATION;"],
        )


def _judge_slot(plan: Plan, slot: Any, found: Findings) -> None:
    record = plan.settings.record
    kept = float(slot["kept_mb"] or 0)
    drop = f"SELECT pg_drop_replication_slot({literal(record.slot)});"
    if slot["plugin"] != record.slot_plugin:
        found.missing(
            "slot",
            f"{record.slot} decodes with {slot['plugin']}, record.slot_plugin is "
            f"{record.slot_plugin}",
            "Name another slot, or drop this one if nobody else uses it.",
            sql=[drop],
        )
    elif slot["wal_status"] == "lost":
        found.missing(
            "slot",
            f"{record.slot} is lost: the server has removed log that it still needed",
            "Drop it; the recorder makes a new one and copies everything once more.",
            sql=[drop],
        )
    elif kept > record.slot_warn_mb:
        found.look(
            "slot",
            f"{record.slot} keeps {_mb(kept)} of the log; it is dropped at "
            f"{_mb(record.slot_drop_mb)}",
            "Start the recorder so that it catches up, or drop the slot.",
            sql=[drop],
        )
    else:
        used = "in use" if slot["active"] else "not in use"
        found.ok("slot", f"{record.slot} is there, {used}, keeps {_mb(kept)} of the log")


def _judge_room(plan: Plan, reached: Reached, found: Findings) -> None:
    allowed = int(reached.session["slots_allowed"])
    used = int(_rows(reached, "select_slots_used", {})[0]["used"])
    if used >= allowed:
        found.missing(
            "slot",
            f"all {allowed} replication slots of the server are taken",
            "Allow one more and restart the server.",
            sql=[f"ALTER SYSTEM SET max_replication_slots = {allowed + 4};"],
        )
    else:
        found.ok(
            "slot", f"{plan.settings.record.slot} will be made; {used} of {allowed} slots are taken"
        )


def _judge_tables(plan: Plan, reached: Reached, found: Findings) -> None:
    params = {"schema": plan.schema, "names": plan.table_names}
    bare = [row["name"] for row in _rows(reached, "select_unidentified", params)]
    if bare:
        found.missing(
            "replica identity",
            f"{', '.join(bare)}: without a key, their updates fail in production once published",
            "Let the whole row identify them, at the price of more log; a primary key is better.",
            sql=[
                f"ALTER TABLE {quoted(plan.schema, name)} REPLICA IDENTITY FULL;" for name in bare
            ],
        )
    if plan.settings.record.slot_plugin != "pgoutput":
        found.not_asked("publication", "test_decoding needs none")
        return
    name = plan.settings.record.slot_publication
    wanted = [row["name"] for row in _rows(reached, "select_present", params)]
    if not wanted:
        found.not_asked("publication", "there is no table to publish")
        return
    listed = ", ".join(quoted(plan.schema, table) for table in wanted)
    rows = _rows(reached, "select_published", params | {"publication": name})
    lacking = [table for table in wanted if rows and table not in rows[0]["tables"]]
    if not rows:
        found.missing(
            "publication",
            f"there is no publication {name}",
            "Make it as the owner of the tables.",
            sql=[f"CREATE PUBLICATION {quoted(name)} FOR TABLE {listed};"],
        )
    elif lacking and not rows[0]["everything"]:
        found.missing(
            "publication",
            f"{name} lacks {', '.join(lacking)}",
            "Set its tables.",
            sql=[f"ALTER PUBLICATION {quoted(name)} SET TABLE {listed};"],
        )
    elif not rows[0]["every_change"]:
        found.missing(
            "publication",
            f"{name} leaves out some of insert, update, delete and truncate",
            "Let it carry all four.",
            sql=[
                f"ALTER PUBLICATION {quoted(name)} SET (publish = 'insert, update, delete, "
                "truncate');"
            ],
        )
    else:
        found.ok("publication", f"{name} carries all {len(wanted)} tables")


def _ask_recorder(plan: Plan, reached: Reached, found: Findings) -> None:
    """What the recorder itself would refuse, if anything is left."""
    record = plan.settings.record
    options = SlotOptions(
        name=record.slot, plugin=record.slot_plugin, publication=record.slot_publication
    )
    slot = ReplicationSlot(reached.connection, options, schema=plan.schema)
    try:
        with reached.connection.snapshot() as snapshot:
            tables = read_tables(snapshot, schema=plan.schema)
        slot.check(tables)
    except SourceError as error:
        found.missing("recorder", str(error), "Mend that, then ask again.")


def _mb(megabytes: float | None) -> str:
    return "an unknown amount" if megabytes is None else f"{float(megabytes):,.1f} MB"


def _rows(reached: Reached, name: str, params: dict[str, Any]) -> list[Any]:
    query = sql_queries("postgres/doctor/session.sql")[name].encode()
    with reached.connection.snapshot() as snapshot:
        return snapshot.execute(query, params or None).fetchall()
