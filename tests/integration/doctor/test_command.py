"""``shadow doctor`` as people run it: what is printed, how wide, with which exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.integration.doctor.pasting import run_sql
from tests.support.postgres import Production
from tests.support.processes import SHADOW, run_shadow

BROWSER = {"SHADOW_REPLAY_BROWSER": "/no/browser/is/started"}
PASSWORDS = ("Xyzzy@Quux/Plugh", "Xyzzy%Quux#?Plugh", "Xyzzy-Quux-Plugh", "Xyzzy'Quux \\ Plugh")


def test_a_sound_database_exits_with_0_and_one_sentence(
    production: Production, tmp_path: Path
) -> None:
    ended = run_shadow(
        "doctor", environ=BROWSER | {"SHADOW_DSN": production.recorder_dsn}, cwd=tmp_path
    )
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == "Ready to record; 1 line is worth a look."
    assert "✓ OK        jobs: shape live" in ended.out


def test_what_is_missing_can_be_piped_to_the_owner(production: Production, tmp_path: Path) -> None:
    role = f"piped_{production.name}"
    run_sql(production.dsn, [f"CREATE ROLE {role} LOGIN"])
    environ = BROWSER | {"SHADOW_DSN": make_conninfo(production.dsn, user=role)}
    try:
        ended = run_shadow("doctor", environ=environ, cwd=tmp_path)
        assert ended.code == 2
        assert ended.out.splitlines()[-1] == "Not ready to record; mend first: select (Tables)."
        script = run_shadow("doctor", "--sql", environ=environ, cwd=tmp_path)
        assert script.code == 2
        with psycopg.connect(production.dsn, autocommit=True) as connection:
            connection.execute(script.out.encode())
        told = json.loads(run_shadow("doctor", "--json", environ=environ, cwd=tmp_path).out)
        assert (told["ready"], told["schema_version"]) == (True, 1)
        assert {check["status"] for check in told["checks"]} <= {"ok", "skipped", "warn"}
        assert {"subject", "name", "status", "found", "mend", "sql", "shell", "detail"} == set(
            told["checks"][0]
        )
    finally:
        run_sql(production.dsn, [f"DROP OWNED BY {role}; DROP ROLE {role}"])


def test_nothing_set_is_a_beginning_and_not_a_traceback(tmp_path: Path) -> None:
    ended = run_shadow("doctor", environ=BROWSER, cwd=tmp_path)
    assert (ended.code, ended.err) == (2, "")
    assert "neither SHADOW_DSN nor DATABASE_URL is set" in ended.out
    assert "not asked tables: there is no connection to the server" in ended.out


def test_two_outputs_at_once_are_refused(tmp_path: Path) -> None:
    ended = run_shadow("doctor", "--sql", "--json", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("shadow: --sql and --json")


def test_no_line_but_those_to_paste_is_wider_than_80_columns(
    production: Production, tmp_path: Path
) -> None:
    dsn = make_conninfo(production.recorder_dsn, dbname="nowhere_at_all")
    for environ in ({"SHADOW_DSN": production.recorder_dsn}, {"SHADOW_DSN": dsn}, {}):
        ended = run_shadow("doctor", environ=BROWSER | environ, cwd=tmp_path)
        for line in ended.out.splitlines():
            to_paste = line.startswith("    ") and not line.startswith(" " * 14)
            assert to_paste or len(line) <= 80 or " " not in line.strip(), line


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_colour_unless_it_asks_for_none_and_words_always(
    tmp_path: Path, colour: bool
) -> None:
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SHADOW_")} | BROWSER
    environ |= {"TERM": "xterm"} | ({} if colour else {"NO_COLOR": "1"})
    process = subprocess.Popen(
        [str(SHADOW), "doctor"], cwd=tmp_path, env=environ, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:
        # The other end of a pseudo-terminal is gone: that is how it says so.
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 2
    text = b"".join(parts).decode()
    assert ("\x1b[" in text) is colour
    assert "MISSING" in text
    assert "not asked" in text


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("form", ["uri", "raw uri", "keywords"])
def test_no_password_is_printed_however_it_is_written(
    production: Production, tmp_path: Path, password: str, form: str
) -> None:
    parts = conninfo_to_dict(production.recorder_dsn)
    where = f"{parts['dbname']}?host={parts['host']}&port=5999"
    encoded = "".join(f"%{byte:02X}" for byte in password.encode())
    dsn = {
        "uri": f"postgresql://somebody:{encoded}@/{where}",
        "raw uri": f"postgresql://somebody:{password}@/{where}",
        "keywords": make_conninfo(production.recorder_dsn, port="5999", password=password),
    }[form]
    for extra in ((), ("--json",), ("--sql",)):
        ended = run_shadow("doctor", *extra, environ=BROWSER | {"SHADOW_DSN": dsn}, cwd=tmp_path)
        assert ended.code == 2
        said = ended.out + ended.err
        assert not any(piece in said for piece in ("Xyzzy", "Quux", "Plugh"))
