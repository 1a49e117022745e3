"""Mends are written so that a shell, libpq and PostgreSQL read what was meant."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from harness.doctor.connection import examine_connection
from harness.doctor.plan import Plan, literal, mend_query, quoted, role_script
from harness.settings import Settings
from tests.integration.doctor.pasting import words_of

URI = "postgresql://somebody:Xyzzy%2FQuux@db.test:5432/app"
KEYWORDS = "user=somebody password='Xyzzy Quux' host=db.test dbname=app"
VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
)


def _plan(dsn: str | None) -> Plan:
    return Plan(settings=Settings(), dsn=dsn, variable="DATABASE_URL")


@pytest.mark.parametrize("dsn", [URI, f"{URI}?sslmode=require", KEYWORDS])
@given(value=VALUES)
@settings(max_examples=30, deadline=None)
def test_a_pasted_export_changes_one_part_and_keeps_the_others(dsn: str, value: str) -> None:
    line = _plan(dsn).export_with(dbname=value)
    assert "Xyzzy" not in line
    ended = subprocess.run(
        ["bash", "-c", f'{line}\nprintf %s "$SHADOW_DSN"'],
        env={"DATABASE_URL": dsn, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    before, after = conninfo_to_dict(dsn), conninfo_to_dict(ended.stdout.decode())
    assert after == before | {"dbname": value}


@given(password=st.text(st.sampled_from("Qq7@/?#%&=:;' \\\"[]"), max_size=10))
@settings(max_examples=200, deadline=None)
def test_a_password_that_was_not_encoded_is_never_quoted(password: str) -> None:
    secret = f"Xyzzy{password}Plugh"
    dsn = f"postgresql://somebody:{secret}@127.0.0.1:1/app"
    found, reached = examine_connection(_plan(dsn))
    assert reached is None
    said = words_of(found.checks)
    assert "Xyzzy" not in said
    assert "Plugh" not in said


def test_names_of_any_kind_are_quoted() -> None:
    assert quoted('Shop "A"', "jobs") == '"Shop ""A"""."jobs"'
    assert literal("it's") == "'it''s'"
    assert literal("back\\slash") == "E'back\\\\slash'"
    assert mend_query("create_queue_history", schema="Shop").startswith(
        'CREATE TABLE "Shop".queue_history ('
    )


def test_a_role_that_exists_is_only_completed() -> None:
    assert role_script("A", "s", "d")[0].startswith('CREATE ROLE "A" LOGIN')
    assert not any("CREATE" in line for line in role_script("A", "s", "d", exists=True))
