"""What the doctor says of slot mode, and of a slot that nobody uses."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import make_conninfo

from harness.doctor.check import Status
from tests.integration.doctor.pasting import diagnose, run_sql, the, unsound
from tests.support.postgres import Production, running_cluster

SLOT = {"record": {"mode": "slot"}}


def test_everything_that_a_slot_needs_is_made_by_pasting(tmp_path: Path) -> None:
    with running_cluster() as cluster, cluster.database() as production:
        run_sql(
            production.dsn,
            ["ALTER SYSTEM SET wal_level = replica", "ALTER TABLE job_results DROP COLUMN id",
             "ALTER TABLE job_results ADD COLUMN id text"],
        )  # fmt: skip
        cluster.stop()
        cluster.start()
        before = diagnose(production.recorder_dsn, folder=tmp_path, **SLOT)
        assert [check.name for check in before.failing] == [
            "wal_level", "right", "replica identity", "publication",
        ]  # fmt: skip
        for check in before.failing:
            run_sql(production.dsn, check.sql)
        cluster.stop()
        cluster.start()
        after = diagnose(production.recorder_dsn, folder=tmp_path, **SLOT)
        assert after.failing == ()
        assert "will be made" in the(after, "slot").found

        run_sql(production.dsn, ["ALTER PUBLICATION shadow_recorder DROP TABLE jobs"])
        lacking = the(diagnose(production.recorder_dsn, folder=tmp_path, **SLOT), "publication")
        assert lacking.found == "shadow_recorder lacks jobs"
        run_sql(production.dsn, lacking.sql)

        make = "SELECT pg_create_logical_replication_slot('shadow_recorder', 'pgoutput')"
        run_sql(production.dsn, [make])
        there = diagnose(production.recorder_dsn, folder=tmp_path, **SLOT)
        assert there.failing == ()
        assert "is there, not in use" in the(there, "slot").found

        left = the(diagnose(production.recorder_dsn, folder=tmp_path), "slot")
        assert (left.status, "fill production's disk" in left.found) == (Status.WARN, True)
        run_sql(production.dsn, left.sql)
        gone = the(diagnose(production.recorder_dsn, folder=tmp_path), "slot")
        assert gone.status is Status.SKIPPED


def test_a_slot_of_another_kind_is_not_taken_for_ours(
    production: Production, tmp_path: Path
) -> None:
    physical = "SELECT pg_create_physical_replication_slot('shadow_recorder')"
    run_sql(production.dsn, [physical])
    try:
        dsn = make_conninfo(production.dsn)
        diagnosis = diagnose(dsn, folder=tmp_path, **SLOT)
        assert "slot" in unsound(diagnosis)
        run_sql(production.dsn, the(diagnosis, "slot").sql)
        assert the(diagnose(dsn, folder=tmp_path, **SLOT), "slot").status is Status.OK
    finally:
        run_sql(
            production.dsn,
            ["SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"],
        )
