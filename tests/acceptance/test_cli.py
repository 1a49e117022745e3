"""The installed ``shadow`` on a small journal: exit codes, pure stdout, errors of one line."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from harness.journal.connect import opened
from harness.journal.store import Journal
from harness.model import EventDraft, EventKind
from tests.support.events import at, make_control, make_job, make_plan
from tests.support.journals import make_journal, sound_job
from tests.support.processes import Ended, run_shadow

LOST = "22222222-2222-4222-8222-222222222222"
NAME = "week.duckdb"
JOURNAL = ("--journal", NAME)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a journal: a sound job, a wrong phone number, and a job never enqueued."""
    folder = tmp_path_factory.mktemp("week")
    wrong = make_plan({"phone": "202-555-0199"}, version=2)
    started = EventDraft(
        source="replay:demo", kind=EventKind.REPLAY_STARTED, key="replay:demo:started",
        occurred_at=at(90), payload={"run": "demo", "selected": 1},
    )  # fmt: skip
    lost = [make_job(LOST), make_control("submitted", job_id=LOST, second=60)]
    make_journal(folder, [*sound_job(), wrong, *lost, started], name=NAME)
    return folder


@pytest.fixture
def copied(week: Path, tmp_path: Path) -> Path:
    """A journal of one's own, to be written to."""
    (tmp_path / NAME).write_bytes((week / NAME).read_bytes())
    return tmp_path


def _refused(ended: Ended, words: str) -> None:
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("shadow: ")
    assert words in line


def test_diff_prints_a_line_for_each_difference_and_exits_with_1(week: Path) -> None:
    ended = run_shadow("diff", *JOURNAL, cwd=week)
    assert ended.code == 1
    header, *rows = [line.split("\t") for line in ended.out.splitlines()]
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["kind"] for row in found] == ["wrong_value", "missing_candidate"]
    assert found[0]["candidate_raw"] == "•••-•••-0199"
    assert found[1]["job_id"] == LOST
    assert ended.err.strip().startswith("2 differences as of seq ")


def test_diff_filters_and_exits_with_0_where_nothing_differs(week: Path) -> None:
    ended = run_shadow("diff", *JOURNAL, "--kind", "captcha", "--mode", "live", "--json", cwd=week)
    assert ended.code == 0
    told = json.loads(ended.out)
    assert (told["schema_version"], told["differences"]) == (1, [])


def test_diff_reads_the_journal_as_of_an_earlier_moment(week: Path) -> None:
    ended = run_shadow("diff", *JOURNAL, "--as-of", "-2h", "--json", cwd=week)
    assert (ended.code, json.loads(ended.out)["seq"]) == (0, 0)
    ended = run_shadow("diff", *JOURNAL, "--as-of", "3", "--json", cwd=week)
    assert (ended.code, json.loads(ended.out)["seq"]) == (0, 3)


def test_findings_name_the_fault_where_it_is_and_exit_with_1(week: Path) -> None:
    ended = run_shadow("findings", *JOURNAL, cwd=week)
    assert ended.code == 1
    header, row = [line.split("\t") for line in ended.out.splitlines()]
    assert dict(zip(header, row, strict=True)) | {"seq": "", "detail": ""} == {
        "severity": "critical", "id": "never_enqueued", "mode": "live", "job_id": LOST,
        "directory": "", "seq": "", "detail": "",
    }  # fmt: skip
    told = run_shadow("findings", *JOURNAL, "--kind", "false_success", "--json", cwd=week)
    assert (told.code, json.loads(told.out)["findings"]) == (0, [])


def test_rules_say_what_they_hide_and_exit_with_0(week: Path) -> None:
    ended = run_shadow("rules", *JOURNAL, "--json", cwd=week)
    assert ended.code == 0
    rules = {rule["name"]: rule for rule in json.loads(ended.out)["rules"]}
    assert rules["url-form"]["hidden"] > 0
    assert rules["phone-format"]["touched"] > 0
    assert all(rule["author"] and rule["reason"] for rule in rules.values())


def test_report_writes_files_names_them_and_exits_with_the_decision(copied: Path) -> None:
    ended = run_shadow("report", *JOURNAL, "--out", "out", "--format", "all", cwd=copied)
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "out/report.html", "out/report.json", "out/report.md", "out/report.junit.xml",
        "out/report.slack.json", "out/report.pdf", "decision: NO-GO",
    ]  # fmt: skip
    assert all((copied / line).is_file() for line in ended.out.splitlines()[:-1])
    assert "Zero data loss" in ended.err


def test_report_on_stdout_is_pure_json_and_the_same_as_the_file(copied: Path) -> None:
    told = run_shadow("report", *JOURNAL, "--format", "json", "--out", "-", cwd=copied)
    assert (told.code, told.err) == (1, "")
    report = json.loads(told.out)
    for key in ("schema_version", "decision", "gates", "agreement", "latency", "clusters",
                "findings", "coverage", "provenance"):  # fmt: skip
        assert key in report
    seq = str(report["provenance"]["seq"])
    run_shadow("report", *JOURNAL, "--format", "json", "--as-of", seq, cwd=copied)
    assert (copied / "report" / "report.json").read_text() == told.out


def test_report_of_a_journal_without_a_fault_is_undecided_and_exits_with_3(tmp_path: Path) -> None:
    make_journal(tmp_path, sound_job(), name="shadow.duckdb")
    ended = run_shadow("report", "--stdout", cwd=tmp_path)
    assert ended.code == 3
    assert ended.out.startswith("## ~ UNDECIDED")
    assert list(tmp_path.glob("report*")) == []


def test_an_attestation_turns_its_gate_and_its_contrary_turns_it_back(copied: Path) -> None:
    def gate() -> str:
        told = run_shadow("report", *JOURNAL, "--format", "json", "--stdout", cwd=copied)
        gates = {gate["gate"]: gate["status"] for gate in json.loads(told.out)["gates"]}
        return str(gates["shadow.complaints"])

    said = ("attest", "no_customer_complaints", "--by", "Ana Ruiz", "--until", "7d", *JOURNAL)
    assert gate() == "open"
    ended = run_shadow(*said, "--note", "inbox read", cwd=copied)
    assert (ended.code, len(ended.out.splitlines())) == (0, 1)
    assert ended.out.startswith("no_customer_complaints: holds, by Ana Ruiz, until ")
    assert gate() == "pass"
    assert run_shadow(*said, "--contrary", cwd=copied).code == 0
    assert gate() == "fail"
    assert run_shadow(*said, cwd=copied).code == 0
    assert gate() == "pass"


def test_an_attestation_that_no_gate_asks_for_is_refused(copied: Path) -> None:
    ended = run_shadow(
        "attest", "no_complaints", "--by", "A", "--until", "7d", *JOURNAL, cwd=copied
    )
    _refused(ended, "did you mean no_customer_complaints? Known: no_customer_complaints, ")


def test_the_journal_commands_verify_rebuild_and_count(copied: Path) -> None:
    verified = run_shadow("journal", "verify", *JOURNAL, "--json", cwd=copied)
    assert (verified.code, json.loads(verified.out)["clean"]) == (0, True)
    counted = run_shadow("journal", "stats", *JOURNAL, "--json", cwd=copied)
    assert json.loads(counted.out)["kinds"]["jobs"] == 4
    assert run_shadow("journal", "rebuild", *JOURNAL, cwd=copied).code == 0
    with opened(copied / NAME, read_only=False) as handle:
        handle.con.execute("UPDATE events SET payload = '{}' WHERE seq = 2")
    broken = run_shadow("journal", "verify", *JOURNAL, cwd=copied)
    assert broken.code == 1
    assert "problem: the hash of batch 1" in broken.out


def test_a_wrong_configuration_is_told_in_one_line(week: Path, tmp_path: Path) -> None:
    config = tmp_path / "shadow.toml"
    config.write_text("[record]\ntik = 1\n")
    _refused(
        run_shadow("diff", "--journal", str(week / NAME), cwd=tmp_path),
        "shadow.toml: record.tik is not a setting. Did you mean record.tick?",
    )
    _refused(run_shadow("rules", "--config", "none.toml", cwd=week), "no such settings file")
    _refused(
        run_shadow("rules", *JOURNAL, cwd=week, environ={"SHADOW_COMPARE_DEADLINE": "soon"}),
        "SHADOW_COMPARE_DEADLINE: compare.deadline = 'soon' is not a duration",
    )


def test_an_unknown_command_or_choice_has_a_hint(week: Path) -> None:
    _refused(run_shadow("finding", cwd=week), "Did you mean 'findings'? See: shadow --help")
    _refused(
        run_shadow("findings", *JOURNAL, "--kind", "never_enqued", cwd=week),
        "did you mean never_enqueued?",
    )
    _refused(run_shadow("diff", *JOURNAL, "--mode", "dmo", cwd=week), "Known: demo, live.")


@pytest.mark.parametrize("command", ["diff", "report", "attest", "journal verify"])
def test_a_journal_that_is_missing_says_how_to_record_one(tmp_path: Path, command: str) -> None:
    said = ["no_customer_complaints", "--by", "A", "--until", "7d"] if command == "attest" else []
    ended = run_shadow(*command.split(), *said, cwd=tmp_path)
    _refused(ended, "shadow.duckdb: there is no journal. Record one with: shadow record")
    assert list(tmp_path.glob("shadow*")) == []


def test_a_foreign_file_and_a_newer_journal_are_refused_by_name(copied: Path) -> None:
    (copied / "notes.txt").write_text("not a database " * 1000)
    duckdb.connect(str(copied / "other.duckdb")).close()
    _refused(
        run_shadow("diff", "--journal", "notes.txt", cwd=copied), "notes.txt is not a readable"
    )
    _refused(run_shadow("diff", "--journal", "other.duckdb", cwd=copied), "but not a journal")
    with opened(copied / NAME, read_only=False) as handle:
        handle.con.execute("UPDATE meta SET schema_version = 99")
    _refused(run_shadow("report", *JOURNAL, cwd=copied), "is a journal of version 99")
    assert not (copied / "report").exists()


def test_an_empty_journal_is_read_without_complaint(tmp_path: Path) -> None:
    Journal.create(tmp_path / "shadow.duckdb")
    ended = run_shadow("rules", cwd=tmp_path)
    assert (ended.code, ended.err, ended.out.splitlines()[0]) == (
        0, "", "name\ttouched\thidden\tauthor\treason",
    )  # fmt: skip
