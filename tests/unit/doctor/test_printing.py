"""What the doctor prints: words beside signs, mends below, lines to paste unbroken."""

from __future__ import annotations

import pytest

from harness.cli.doctor_text import DoctorPrinter
from harness.doctor.check import Diagnosis, Findings, Subject

PATH = "/var/lib/" + "folder/" * 14 + "week.duckdb"
LONG = "GRANT SELECT ON " + ", ".join(f'"public"."table_{n}"' for n in range(12)) + ' TO "role";'


def test_each_status_has_a_word_and_what_is_to_be_pasted_is_not_broken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Findings(Subject.TABLES)
    found.ok("jobs", "fine", detail=["seen " * 30])
    found.look("file", PATH, "Read it.")
    found.look("other", "odd " * 40, "Change it. " * 12, shell=["export A=1"])
    found.missing("select", "may not", "Let it.", sql=[LONG, "CREATE TABLE a (\n    b int\n);"])
    found.not_asked("sweep", "select comes first")
    printer = DoctorPrinter()
    for check in found.checks:
        printer.check(check)
    printer.verdict(Diagnosis(checks=tuple(found.checks)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Tables"
    starts = ["✓ OK", "! LOOK", "! LOOK", "✗ MISSING", "· not asked"]
    assert [line[2:14].strip() for line in lines if line[2:3] in set("✓!✗·")] == starts
    assert any(line.strip() == PATH for line in lines), "a path can be copied in one piece"
    assert f"    {LONG}" in lines
    assert "        b int" in lines
    assert "    export A=1" in lines
    assert all(len(line) <= 80 for line in lines if line.strip() not in (LONG, PATH))
    assert lines[-1].startswith("Not ready to record")
