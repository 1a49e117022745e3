"""The operator's scripts, run by psql as an operator runs them: grant, and take everything back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.integration.doctor.pasting import diagnose, run_sql, the, unsound
from tests.support.postgres import Production, running_cluster
from tests.support.servers import postgres_folder

DOCS = Path(__file__).parents[3] / "docs"
GRANT = DOCS / "recorder-role.sql"
ROLE = "shadow_recorder"


def _psql(dsn: str, *arguments: str) -> str:
    programs = postgres_folder(18)
    assert programs is not None
    ended = subprocess.run(
        [str(programs / "psql"), "-X", "-v", "ON_ERROR_STOP=1", dsn, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def _revoking() -> str:
    text = (DOCS / "recording.md").read_text(encoding="utf-8")
    (block,) = [part for part in re.findall(r"```sql\n(.*?)```", text, re.S) if "DROP ROLE" in part]
    return block


def test_the_role_is_granted_what_it_needs_and_nothing_is_left_after_revoking(
    tmp_path: Path,
) -> None:
    with running_cluster() as cluster, cluster.database() as production:
        run_sql(
            cluster.server.dsn,
            [
                "DROP DATABASE production_template",
                f"REVOKE pg_read_all_stats FROM {ROLE}",
            ],
        )
        run_sql(production.dsn, [f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}"])
        run_sql(production.dsn, ["ALTER TABLE jobs ENABLE ROW LEVEL SECURITY"])
        for _ in range(2):
            _psql(production.dsn, "-f", str(GRANT))
        diagnosis = diagnose(production.recorder_dsn, folder=tmp_path)
        assert (diagnosis.ready, unsound(diagnosis)) == (True, [])
        with psycopg.connect(production.recorder_dsn, autocommit=True) as recorder:
            for forbidden in ("SELECT 1 FROM directories", "DELETE FROM jobs"):
                with pytest.raises(psycopg.Error, match=r"permission denied|read-only"):
                    recorder.execute(forbidden)
            slot = "SELECT pg_create_physical_replication_slot('shadow_recorder')"
            run_sql(production.dsn, [slot, "CREATE PUBLICATION shadow_recorder"])
            _psql(production.dsn, "-c", "SELECT 1", "-f", _written(tmp_path, _revoking()))
        left = production.execute(
            "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = 'shadow_recorder')"
            " + (SELECT count(*) FROM pg_replication_slots)"
            " + (SELECT count(*) FROM pg_publication)"
        )
        assert left == [(0,)]


def _written(folder: Path, script: str) -> str:
    path = folder / "revoke.sql"
    path.write_text(script)
    return str(path)


def test_an_owner_who_is_no_superuser_is_told_what_could_not_be_given(
    production: Production, tmp_path: Path
) -> None:
    owner, role = f"owner_{production.name}", f"reader_{production.name}"
    run_sql(
        production.dsn,
        [
            f"CREATE ROLE {owner} LOGIN CREATEROLE",
            f'CREATE SCHEMA "Shop Data" AUTHORIZATION {owner}',
        ],
    )
    owner_dsn = make_conninfo(production.dsn, user=owner)
    run_sql(
        owner_dsn,
        [
            'CREATE TABLE "Shop Data".jobs (id uuid PRIMARY KEY)',
            'ALTER TABLE "Shop Data".jobs ENABLE ROW LEVEL SECURITY',
        ],
    )
    try:
        said = _psql(owner_dsn, "-v", f"role={role}", "-v", "schema=Shop Data", "-f", str(GRANT))
        assert "pg_read_all_stats was not granted" in said
        assert "BYPASSRLS was not given" in said
        reader = make_conninfo(production.dsn, user=role)
        diagnosis = diagnose(reader, folder=tmp_path, schema="Shop Data")
        assert the(diagnosis, "schema").status == "ok"
        assert the(diagnosis, "row security").status == "fail"
        assert not any(check.name == "select" for check in diagnosis.checks)
    finally:
        run_sql(
            production.dsn,
            [
                f"DROP OWNED BY {role} CASCADE",
                f"DROP OWNED BY {owner} CASCADE",
                f"DROP ROLE {role}",
                f"DROP ROLE {owner}",
            ],
        )
