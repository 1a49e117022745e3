"""How single checks become a verdict and a script."""

from __future__ import annotations

from harness.doctor.check import Diagnosis, Findings, Status, Subject


def _found() -> Findings:
    found = Findings(Subject.TABLES)
    found.ok("jobs", "as it should be")
    return found


def test_only_what_is_missing_keeps_recording_from_beginning() -> None:
    found = _found()
    found.look("worker_status", "not there", "Nothing.")
    found.not_asked("sweep", "the tables come first")
    assert Diagnosis(checks=tuple(found.checks)).ready
    found.missing("jobs", "not there", "Make it.")
    diagnosis = Diagnosis(checks=tuple(found.checks))
    assert not diagnosis.ready
    assert diagnosis.verdict == "Not ready to record; mend first: jobs (Tables)."
    assert [check.status for check in diagnosis.failing] == [Status.FAIL]


def test_the_verdict_counts_what_is_worth_a_look() -> None:
    found = _found()
    assert Diagnosis(checks=tuple(found.checks)).verdict == "Ready to record."
    found.look("a", "odd", "Look.")
    assert Diagnosis(checks=tuple(found.checks)).verdict.endswith("1 line is worth a look.")
    found.look("b", "odd", "Look.")
    assert Diagnosis(checks=tuple(found.checks)).verdict.endswith("2 lines are worth a look.")


def test_the_script_says_each_statement_once_and_what_it_is_for() -> None:
    found = _found()
    found.missing("select", "may not", "Let it.", sql=["GRANT a;", "GRANT b;"])
    found.look("other", "may not", "Let it.", sql=["GRANT b;"])
    found.look("third", "may not", "Let it.", sql=["GRANT c;"])
    assert Diagnosis(checks=tuple(found.checks)).script == (
        "-- Tables: select\nGRANT a;\nGRANT b;\n\n-- Tables: third\nGRANT c;"
    )
