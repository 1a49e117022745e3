"""Asks the doctor, and does what it says: SQL as the owner, shell lines in a real shell."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from harness.doctor.check import Check, Diagnosis, Status
from harness.doctor.examine import examine
from harness.doctor.plan import Plan
from harness.settings import Settings

FAST = {"replay": {"browser": Path("/no/browser/is/started")}}


def diagnose(
    dsn: str | None, *, folder: Path, schema: str = "public", **settings: Any
) -> Diagnosis:
    """The doctor's word on a DSN; the browser is left out, since it has a test of its own."""
    told = {"journal": folder / "week.duckdb"} | FAST | settings
    return examine(
        Plan(settings=Settings.model_validate(told), dsn=dsn, variable="SHADOW_DSN", schema=schema)
    )


def the(diagnosis: Diagnosis, name: str) -> Check:
    """The one check of this name."""
    (check,) = [check for check in diagnosis.checks if check.name == name]
    return check


def words_of(checks: Iterable[Check]) -> str:
    """Everything that is said, for a search."""
    return "\n".join(
        "\n".join([check.name, check.found, check.mend, *check.sql, *check.shell, *check.detail])
        for check in checks
    )


def unsound(diagnosis: Diagnosis, *, but: Sequence[str] = ("browser",)) -> list[str]:
    """Names of what is missing or worth a look."""
    return [
        check.name
        for check in diagnosis.checks
        if check.status in (Status.FAIL, Status.WARN) and check.name not in but
    ]


def run_sql(owner_dsn: str, statements: Iterable[str]) -> None:
    """Run the statements one after the other, as psql does."""
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def dsn_after(dsn: str, lines: Sequence[str], *, typed: str = "", **placeholders: str) -> str:
    """SHADOW_DSN after the lines were pasted into a shell, with words in capitals filled in."""
    return environ_after({"SHADOW_DSN": dsn}, lines, typed=typed, **placeholders)["SHADOW_DSN"]


def environ_after(
    environ: dict[str, str], lines: Sequence[str], *, typed: str = "", **placeholders: str
) -> dict[str, str]:
    """The environment after the lines were pasted into a shell."""
    kept = [line for line in lines if not line.startswith("shadow ")]
    for word, value in placeholders.items():
        place = re.compile(rf"\b{re.escape(word)}\b")
        kept = [place.sub(lambda _, value=value: value, line) for line in kept]
    ended = subprocess.run(
        ["bash", "-ec", "\n".join([*kept, "env -0"])],
        env=os.environ | environ,
        input=typed.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    pairs = (item.partition(b"=") for item in ended.stdout.split(b"\0") if item)
    return {name.decode(): value.decode() for name, _, value in pairs}
