"""What the doctor finds in a real server, and that each mend works when it is pasted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness.demo.postgres import RECORDER_ROLE, EmbeddedPostgres
from harness.doctor.check import Status
from harness.resources import sql_text
from tests.integration.doctor.pasting import (
    diagnose,
    dsn_after,
    run_sql,
    the,
    unsound,
    words_of,
)
from tests.support.postgres import Cluster, Production, add_history, add_job, add_submission
from tests.support.servers import (
    LocalPostgres,
    PgBouncer,
    make_authority,
    missing_pgbouncer,
    missing_postgres,
)


@pytest.fixture
def bare(production: Production) -> Iterator[str]:
    """A role that may log in and nothing else."""
    role = f"Bare {production.name}"
    run_sql(production.dsn, [f'CREATE ROLE "{role}" LOGIN'])
    yield role
    run_sql(production.dsn, [f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'])


@pytest.fixture(scope="module")
def empty() -> Iterator[EmbeddedPostgres]:
    """A server without a single table."""
    with EmbeddedPostgres() as postgres:
        yield postgres


def _made_live(owner_dsn: str, name: str) -> str:
    """A database in the shape from before the migrations; return the owner's DSN of it."""
    run_sql(owner_dsn, [f"CREATE DATABASE {name}"])
    dsn = make_conninfo(owner_dsn, dbname=name)
    with psycopg.connect(dsn) as connection:
        for path in ("010_live.sql", "030_recorder_role.sql"):
            connection.execute(sql_text(f"postgres/schema/{path}").encode())
    return dsn


def test_a_sound_database_is_ready_and_shows_three_masked_rows(
    production: Production, tmp_path: Path
) -> None:
    business = '{"business_name": "Maple Joinery", "phone": "(202) 555-0142"}'
    with production.connect() as connection:
        for site in ("maple", "birch", "alder", "rowan"):
            job = add_job(connection, business_data=business)
            add_submission(connection, job, f"https://www.{site}.example/submit", "submitted")
            add_history(connection, job, "submitting", directory=f"{site}.example")
    diagnosis = diagnose(production.recorder_dsn, folder=tmp_path)
    assert (diagnosis.ready, unsound(diagnosis)) == (True, [])
    rows = the(diagnosis, "sample rows").detail
    assert len(rows) == 3
    assert all("control submitted, candidate in_flight" in row for row in rows)
    said = words_of(diagnosis.checks)
    assert "••••• •••••••" in said
    assert not any(value in said for value in ("Maple Joinery", "Bakery", "555-01", "owner@"))
    assert the(diagnosis, "jobs").found.startswith("shape live, key id")
    assert the(diagnosis, "queue_history").found.startswith("shape migrated")
    assert not list(tmp_path.iterdir()), "the doctor leaves nothing behind"


def test_a_role_without_privileges_gets_them_by_pasting(
    production: Production, bare: str, tmp_path: Path
) -> None:
    dsn = make_conninfo(production.dsn, user=bare)
    before = diagnose(dsn, folder=tmp_path)
    assert [check.name for check in before.failing] == ["select"]
    assert unsound(before) == ["reads only", "other sessions", "select"]
    assert the(before, "jobs").status is Status.SKIPPED
    run_sql(production.dsn, [statement for check in before.checks for statement in check.sql])
    after = diagnose(dsn, folder=tmp_path)
    assert (after.ready, unsound(after)) == (True, [])


def test_a_schema_that_may_not_be_looked_into_is_opened_by_pasting(
    production: Production, bare: str, tmp_path: Path
) -> None:
    run_sql(
        production.dsn,
        [
            'ALTER SCHEMA public RENAME TO "Shop Data"',
            'REVOKE USAGE ON SCHEMA "Shop Data" FROM PUBLIC',
        ],
    )
    dsn = make_conninfo(production.dsn, user=bare)
    wrong = diagnose(dsn, folder=tmp_path)
    assert the(wrong, "schema").shell == ("shadow doctor --schema 'Shop Data'",)
    before = diagnose(dsn, folder=tmp_path, schema="Shop Data")
    assert {"schema", "select"} <= set(unsound(before))
    run_sql(production.dsn, [statement for check in before.checks for statement in check.sql])
    after = diagnose(dsn, folder=tmp_path, schema="Shop Data")
    assert (after.ready, unsound(after)) == (True, [])


def test_row_level_security_is_named_and_mended(
    production: Production, bare: str, tmp_path: Path
) -> None:
    run_sql(
        production.dsn,
        [
            "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE queue_history ENABLE ROW LEVEL SECURITY",
            f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{bare}"',
        ],
    )
    dsn = make_conninfo(production.dsn, user=bare)
    before = diagnose(dsn, folder=tmp_path)
    assert [check.name for check in before.failing] == ["row security"]
    assert "jobs, queue_history" in the(before, "row security").found
    run_sql(production.dsn, the(before, "row security").sql)
    assert diagnose(dsn, folder=tmp_path).ready


def test_a_table_without_a_key_gets_one_by_pasting(production: Production, tmp_path: Path) -> None:
    run_sql(
        production.dsn,
        [
            "ALTER TABLE job_results DROP COLUMN id",
            "ALTER TABLE queue_history DROP CONSTRAINT queue_history_pkey",
            "ALTER TABLE queue_history ALTER COLUMN created_at TYPE timestamp",
        ],
    )
    before = diagnose(production.recorder_dsn, folder=tmp_path)
    assert [check.name for check in before.failing] == ["job_results"]
    assert "no primary key" in the(before, "queue_history").found
    for name in ("job_results", "queue_history"):
        run_sql(production.dsn, the(before, name).sql)
    then = diagnose(production.recorder_dsn, folder=tmp_path)
    assert then.ready
    assert "timestamp without time zone" in the(then, "queue_history").found
    run_sql(production.dsn, the(then, "queue_history").sql)
    assert unsound(diagnose(production.recorder_dsn, folder=tmp_path)) == []


def test_a_view_in_place_of_a_table_is_refused(production: Production, tmp_path: Path) -> None:
    run_sql(
        production.dsn,
        [
            "ALTER TABLE worker_status RENAME TO worker_status_1",
            "CREATE VIEW worker_status AS SELECT * FROM worker_status_1",
        ],
    )
    check = the(diagnose(production.recorder_dsn, folder=tmp_path), "worker_status")
    assert (check.status, check.found.startswith("is a view")) == (Status.FAIL, True)


def test_the_live_schema_lacks_the_candidates_history_until_the_sql_is_pasted(
    production: Production, tmp_path: Path
) -> None:
    owner = _made_live(production.dsn, f"live_{production.name}")
    dsn = make_conninfo(owner, user=RECORDER_ROLE)
    before = diagnose(dsn, folder=tmp_path)
    assert [check.name for check in before.failing] == ["queue_history"]
    assert unsound(before) == ["job_results", "queue_history", "worker_heartbeats"]
    assert "migration 003" in the(before, "queue_history").mend
    run_sql(owner, [statement for check in before.checks for statement in check.sql])
    after = diagnose(dsn, folder=tmp_path)
    assert (after.ready, unsound(after)) == (True, [])


def test_a_history_of_the_old_shape_gets_the_new_columns_and_its_old_writers_go_on(
    production: Production, tmp_path: Path
) -> None:
    owner = _made_live(production.dsn, f"old_{production.name}")
    run_sql(
        owner,
        [
            "CREATE TABLE queue_history (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),"
            " customer_id text NOT NULL, status_from text, status_to text NOT NULL,"
            " created_at timestamptz DEFAULT now())"
        ],
    )
    dsn = make_conninfo(owner, user=RECORDER_ROLE)
    before = diagnose(dsn, folder=tmp_path)
    assert [check.name for check in before.failing] == ["queue_history"]
    assert "from before migration 003" in the(before, "queue_history").found
    run_sql(owner, the(before, "queue_history").sql)
    assert diagnose(dsn, folder=tmp_path).ready
    with psycopg.connect(owner, autocommit=True) as connection:
        add_history(connection, add_job(connection), "queue_claimed")
        connection.execute("UPDATE customers SET status = 'active'")
        rows = connection.execute("SELECT count(event), count(status_to) FROM queue_history")
        assert rows.fetchone() == (1, 1)


def test_tables_in_another_database_are_found_and_the_export_leads_there(
    production: Production, tmp_path: Path
) -> None:
    dsn = make_conninfo(production.recorder_dsn, dbname="postgres")
    before = diagnose(dsn, folder=tmp_path)
    check = the(before, "tables")
    assert (before.ready, check.status) == (False, Status.FAIL)
    assert "7 of 7 are in database" in check.found
    assert diagnose(dsn_after(dsn, check.shell), folder=tmp_path).ready


def test_an_empty_server_is_said_to_be_empty(empty: EmbeddedPostgres, tmp_path: Path) -> None:
    diagnosis = diagnose(empty.dsn, folder=tmp_path)
    check = the(diagnosis, "tables")
    assert [check.name for check in diagnosis.failing] == ["tables"]
    assert "nor in any other" in check.found
    assert "shadow demo" in check.shell
    assert the(diagnosis, "sample rows").status is Status.SKIPPED


def test_a_database_that_does_not_exist_is_told_with_the_right_one(
    production: Production, tmp_path: Path
) -> None:
    dsn = make_conninfo(production.recorder_dsn, dbname="nowhere")
    check = the(diagnose(dsn, folder=tmp_path), "server")
    assert (check.status, 'database "nowhere" does not exist' in check.found) == (Status.FAIL, True)
    assert diagnose(dsn_after(dsn, check.shell), folder=tmp_path).ready


def test_a_wrong_port_is_told_with_the_one_where_something_listens(
    production: Production, tmp_path: Path
) -> None:
    dsn = make_conninfo(production.recorder_dsn, port="5999")
    before = diagnose(dsn, folder=tmp_path)
    assert {check.status for check in before.checks if check.name == "tables"} == {Status.SKIPPED}
    assert diagnose(dsn_after(dsn, the(before, "server").shell), folder=tmp_path).ready


def test_a_wrong_host_is_told_and_the_export_takes_the_right_one(
    production: Production, tmp_path: Path
) -> None:
    right = psycopg.conninfo.conninfo_to_dict(production.recorder_dsn)
    dsn = f"postgresql://{right['user']}@db.invalid/{right['dbname']}"
    check = the(diagnose(dsn, folder=tmp_path), "server")
    assert "No machine has that name" in check.mend
    assert diagnose(dsn_after(dsn, check.shell, HOST=str(right["host"])), folder=tmp_path).ready


def test_a_role_that_does_not_exist_is_made_by_pasting(
    production: Production, tmp_path: Path
) -> None:
    role = f"Nobody {production.name}"
    dsn = make_conninfo(production.dsn, user=role)
    check = the(diagnose(dsn, folder=tmp_path), "server")
    run_sql(production.dsn, check.sql)
    try:
        after = diagnose(dsn, folder=tmp_path)
        assert (after.ready, unsound(after)) == (True, [])
    finally:
        run_sql(production.dsn, [f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'])


def test_a_wrong_password_is_asked_for_and_never_shown(
    cluster: Cluster, production: Production, bare: str, tmp_path: Path
) -> None:
    (rules,) = production.execute("SHOW hba_file")[0]
    file = Path(rules)
    before = file.read_text()
    run_sql(production.dsn, [f"ALTER ROLE \"{bare}\" PASSWORD 'Right-Word-77'"])
    try:
        file.write_text(f'local all "{bare}" scram-sha-256\n{before}')
        run_sql(production.dsn, ["SELECT pg_reload_conf()"])
        dsn = make_conninfo(production.dsn, user=bare, password="Wrong-Word-42")
        diagnosis = diagnose(dsn, folder=tmp_path)
        check = the(diagnosis, "server")
        assert "password authentication failed" in check.found
        assert "Wrong-Word-42" not in words_of(diagnosis.checks)
        mended = dsn_after(dsn, check.shell, typed="Right-Word-77\n")
        assert "Word" not in mended
        with psycopg.connect(mended, password="Right-Word-77") as connection:
            assert connection.info.user == bare
    finally:
        file.write_text(before)
        run_sql(production.dsn, ["SELECT pg_reload_conf()"])


@pytest.mark.parametrize("statement", ["NOLOGIN", "CONNECTION LIMIT 0"])
def test_a_role_that_may_not_come_in_is_let_in_by_pasting(
    production: Production, bare: str, tmp_path: Path, statement: str
) -> None:
    run_sql(production.dsn, [f'ALTER ROLE "{bare}" {statement}'])
    dsn = make_conninfo(production.dsn, user=bare)
    check = the(diagnose(dsn, folder=tmp_path), "server")
    assert check.status is Status.FAIL
    run_sql(production.dsn, check.sql)
    assert the(diagnose(dsn, folder=tmp_path), "server").status is Status.OK


def test_too_much_is_taken_away_and_too_little_is_raised_by_pasting(
    production: Production, bare: str, tmp_path: Path
) -> None:
    run_sql(
        production.dsn,
        [
            f'GRANT SELECT, UPDATE ON jobs TO "{bare}"',
            f'ALTER ROLE "{bare}" CONNECTION LIMIT 1',
        ],
    )
    dsn = make_conninfo(production.dsn, user=bare)
    before = diagnose(dsn, folder=tmp_path)
    assert "may change jobs" in the(before, "reads only").found
    assert the(before, "connections").status is Status.WARN
    run_sql(production.dsn, [*the(before, "reads only").sql, *the(before, "connections").sql])
    after = diagnose(dsn, folder=tmp_path)
    assert "may change" not in the(after, "reads only").found
    assert the(after, "connections").status is Status.OK


def test_a_superuser_is_told_to_use_the_role_that_reads(
    production: Production, tmp_path: Path
) -> None:
    before = diagnose(production.dsn, folder=tmp_path)
    check = the(before, "reads only")
    assert (before.ready, check.status) == (True, Status.WARN)
    run_sql(production.dsn, check.sql)
    after = diagnose(dsn_after(production.dsn, check.shell), folder=tmp_path)
    assert unsound(after) == []


def test_a_prepared_transaction_is_named_with_what_ends_it(
    production: Production, tmp_path: Path
) -> None:
    with production.connect() as connection:
        connection.execute("BEGIN")
        add_job(connection)
        connection.execute("PREPARE TRANSACTION 'left ''behind'")
    try:
        check = the(diagnose(production.recorder_dsn, folder=tmp_path), "other sessions")
        assert check.status is Status.WARN
        assert "ROLLBACK PREPARED 'left ''behind';" in check.mend
        assert check.sql == (), "whether to commit or to roll back is not ours to say"
    finally:
        run_sql(production.dsn, ["ROLLBACK PREPARED 'left ''behind'"])


def test_sessions_that_hide_themselves_are_named_and_mended(
    production: Production, bare: str, tmp_path: Path
) -> None:
    run_sql(production.dsn, [f'ALTER ROLE "{bare}" SET track_activities = off'])
    hidden = make_conninfo(production.dsn, user=bare)
    with psycopg.connect(hidden):
        check = the(diagnose(production.recorder_dsn, folder=tmp_path), "other sessions")
    assert (check.status, bare in check.mend) == (Status.WARN, True)
    run_sql(production.dsn, check.sql)
    with psycopg.connect(hidden):
        check = the(diagnose(production.recorder_dsn, folder=tmp_path), "other sessions")
    assert check.status is Status.OK


@pytest.mark.skipif(missing_pgbouncer() is not None, reason=str(missing_pgbouncer()))
def test_a_pooler_in_between_is_seen_and_is_fine(production: Production, tmp_path: Path) -> None:
    with PgBouncer(production.dsn) as pooler:
        diagnosis = diagnose(pooler.route(production.recorder_dsn), folder=tmp_path)
    assert (diagnosis.ready, unsound(diagnosis)) == (True, [])
    assert the(diagnosis, "pooler").found.startswith("one stands in between")
    assert the(diagnose(production.recorder_dsn, folder=tmp_path), "pooler").found == (
        "none in between"
    )


@pytest.fixture(scope="module")
def tls() -> Iterator[LocalPostgres]:
    why = missing_postgres(15)
    if why is not None:
        pytest.skip(why)
    with LocalPostgres(15, tls=True) as server:
        with psycopg.connect(server.dsn) as connection:
            for path in ("010_live.sql", "020_migrated.sql", "030_recorder_role.sql"):
                connection.execute(sql_text(f"postgres/schema/{path}").encode())
        yield server


def test_tls_with_a_checked_certificate_is_sound(tls: LocalPostgres, tmp_path: Path) -> None:
    dsn = make_conninfo(tls.over_tls(tls.dsn), user=RECORDER_ROLE)
    diagnosis = diagnose(dsn, folder=tmp_path)
    assert (diagnosis.ready, unsound(diagnosis)) == (True, [])
    assert "certificate is checked (verify-full)" in the(diagnosis, "encryption").found
    assert "PostgreSQL 15" in the(diagnosis, "server").found


def test_tls_without_a_look_at_the_certificate_is_worth_one(
    tls: LocalPostgres, tmp_path: Path
) -> None:
    dsn = make_conninfo(
        tls.over_tls(tls.dsn), user=RECORDER_ROLE, sslmode="require", sslrootcert=""
    )
    check = the(diagnose(dsn, folder=tmp_path), "encryption")
    assert check.status is Status.WARN
    mended = make_conninfo(dsn_after(dsn, check.shell), sslrootcert=str(tls.authority))
    assert the(diagnose(mended, folder=tmp_path), "encryption").status is Status.OK


def test_a_wrong_root_certificate_is_explained_and_never_waved_through(
    tls: LocalPostgres, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other.pem")
    dsn = make_conninfo(tls.over_tls(tls.dsn, authority=other), user=RECORDER_ROLE)
    diagnosis = diagnose(dsn, folder=tmp_path)
    check = the(diagnosis, "server")
    assert "certificate verify failed" in check.found
    assert "sslrootcert" in check.mend
    assert "sslmode" not in words_of([check])
    mended = dsn_after(dsn, check.shell, **{"PROVIDER-ROOT.crt": str(tls.authority)})
    assert diagnose(mended, folder=tmp_path).ready


def test_a_root_certificate_that_is_not_there_is_explained(
    tls: LocalPostgres, tmp_path: Path
) -> None:
    dsn = make_conninfo(tls.over_tls(tls.dsn, authority=tmp_path / "none.pem"), user=RECORDER_ROLE)
    check = the(diagnose(dsn, folder=tmp_path), "server")
    assert "does not exist" in check.found
    assert "sslmode='verify-full'" in check.shell[0]


def test_a_certificate_for_another_name_is_explained(tls: LocalPostgres, tmp_path: Path) -> None:
    dsn = make_conninfo(
        tls.over_tls(tls.dsn), user=RECORDER_ROLE, host="ip6-localhost", hostaddr="127.0.0.1"
    )
    check = the(diagnose(dsn, folder=tmp_path), "server")
    assert "does not match host name" in check.found
    mended = diagnose(dsn_after(dsn, check.shell), folder=tmp_path)
    assert mended.ready
    assert "not the name in it" in the(mended, "encryption").found


def test_a_server_that_insists_on_tls_is_given_it_by_pasting(
    tls: LocalPostgres, tmp_path: Path
) -> None:
    dsn = make_conninfo(tls.over_tls(tls.dsn), user=RECORDER_ROLE, sslmode="disable")
    check = the(diagnose(dsn, folder=tmp_path), "server")
    assert check.status is Status.FAIL
    assert diagnose(dsn_after(dsn, check.shell), folder=tmp_path).ready
