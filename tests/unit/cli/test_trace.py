"""``shadow trace`` and ``shadow journal compact | stats`` as a person or a script calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import run
from harness.journal.store import Journal
from harness.record.lock import recorder_lock
from tests.support.events import make_job
from tests.support.journals import make_journal, sound_job

JOBS = [f"{number:08d}-1111-4111-8111-111111111111" for number in range(12)]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.chdir(tmp_path)
    events = [event for n, job in enumerate(JOBS) for event in sound_job(job, second=10 * n)]
    return make_journal(tmp_path, [*events, make_job(JOBS[0], version=9, metadata={"a": 1})])


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_a_week_goes_out_and_comes_back(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--journal", str(journal.path)]
    code, out, err = call(capsys, "trace", "export", *place, "--out", "week.parquet")
    assert (code, out.split(", ")[:2]) == (0, ["week.parquet: 181 events of 12 jobs", "redacted"])
    assert err == "dropped, because no rule names them: jobs.metadata.* 1\n"
    code, out, _ = call(capsys, "trace", "import", "week.parquet", "--journal", "copy.duckdb")
    assert (code, out) == (0, "copy.duckdb: 181 events added, 0 known before, seq 182\n")
    code, out, _ = call(capsys, "trace", "import", "week.parquet", "--journal", "copy.duckdb",
                        "--json")  # fmt: skip
    told = {"journal": "copy.duckdb", "new": 0, "known": 181, "last_seq": 182}
    assert (code, json.loads(out)) == (0, told)
    assert call(capsys, "journal", "verify", "--journal", "copy.duckdb")[0] == 0
    assert call(capsys, "diff", "--journal", "copy.duckdb")[0] == 0


def test_info_tells_people_and_scripts(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--journal", str(journal.path)]
    call(capsys, "trace", "export", *place, "--out", "week.parquet", "--sample", "50%")
    code, out, _ = call(capsys, "trace", "info", "week.parquet")
    assert code == 0
    for words in ("version 1", '{"sample": 0.5}', "production until", "policy", "sha256"):
        assert words in out
    _, out, err = call(capsys, "trace", "info", "week.parquet", "--json")
    assert (json.loads(out)["selection"], err) == ({"sample": 0.5}, "")


def test_a_raw_trace_has_to_be_asked_for_and_can_be_redacted_later(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--journal", str(journal.path)]
    _, out, _ = call(capsys, "trace", "export", *place, "--out", "raw.parquet", "--raw")
    assert "RAW, with personal values" in out
    assert "holds personal values" in call(capsys, "trace", "info", "raw.parquet")[1]
    assert not Path(f"{journal.path}.secret").exists(), "nothing was faked"
    secret = ["--secret-file", f"{journal.path}.secret"]
    call(capsys, "trace", "redact", "raw.parquet", "--out", "one.parquet", *secret)
    call(capsys, "trace", "export", *place, "--out", "two.parquet")
    assert Path("one.parquet").read_bytes() == Path("two.parquet").read_bytes()
    code, _, _ = call(capsys, "trace", "redact", "raw.parquet", "--out", "three.parquet")
    assert code == 0
    assert Path("three.parquet").read_bytes() != Path("one.parquet").read_bytes()
    assert b"Maple Joinery" not in Path("three.parquet").read_bytes()


def test_jobs_are_selected_by_time_job_outcome_and_moment(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    def jobs(*words: str) -> int:
        code, out, err = call(capsys, "trace", "export", "--journal", str(journal.path), "--out",
                              "part.parquet", "--force", "--json", *words)  # fmt: skip
        assert code == 0, err
        return int(json.loads(out)["jobs"])

    assert jobs() == 12
    assert jobs("--from", "2026-11-20T09:01:00") == 6
    assert jobs("--to", "2026-11-20T09:01:00") == 6
    assert jobs("--from", "2026-11-20T09:00:30", "--to", "2026-11-20T09:01:00") == 3
    assert jobs("--job", JOBS[1], "--job", JOBS[2]) == 2
    assert jobs("--outcome", "agree") == 12
    assert jobs("--outcome", "submitted", "--job", JOBS[4]) == 1
    assert jobs("--as-of", "15") == 1
    assert jobs("--from", "-2h") == 12


def test_rules_from_the_settings_are_used_and_told(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("shadow.toml").write_text('[privacy]\nkeep = ["*.metadata"]\ndrop = ["**.phone"]\n')
    place = ["--journal", str(journal.path)]
    _, _, err = call(capsys, "trace", "export", *place, "--out", "week.parquet")
    assert err == "", "every field is known now"
    manifest = json.loads(call(capsys, "trace", "info", "week.parquet", "--json")[1])
    assert manifest["redaction"]["own_rules"] == {"keep": ["*.metadata"], "drop": ["**.phone"]}
    assert "drop by shadow.toml" in call(capsys, "trace", "info", "week.parquet")[1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["export", "--out", "no/week.parquet"], "folder no does not exist"),
        (["export", "--out", "w", "--sample", "0"], "'0' is no share of the jobs"),
        (["export", "--out", "w", "--sample", "120%"], "'120%' is no share of the jobs"),
        (["export", "--out", "w", "--outcome", "agreed"], "did you mean agree?"),
        (["export", "--out", "w", "--cluster", "ffff"], "no such cluster"),
        (["export", "--out", "w", "--job", "nobody"], "no event of this job"),
        (["export", "--out", "w", "--from", "12"], "jobs are created at a time"),
        (["export", "--out", "w", "--from", "2030-01-01"], "None of the 12"),
        (["export"], "--out"),
        (["import", "week.duckdb", "--journal", "c"], "not a readable trace"),
        (["import", "none.parquet", "--journal", "c"], "there is no trace"),
        (["import", "week.parquet"], "--journal"),
        (["info", "none.parquet"], "there is no trace"),
        (["redact", "none.parquet", "--out", "w"], "there is no trace"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    journal: Journal, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    if words[0] == "export":
        words = [*words, "--journal", str(journal.path)]
    code, out, err = call(capsys, "trace", *words)
    assert (code, out) == (2, "")
    assert expected in err
    assert len(err.splitlines()) == 1


def test_a_secret_that_others_can_read_is_refused(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = Path(f"{journal.path}.secret")
    secret.write_text("ab" * 32)
    secret.chmod(0o644)
    place = ["--journal", str(journal.path), "--out", "w"]
    code, _, err = call(capsys, "trace", "export", *place)
    assert code == 2
    assert f"chmod 600 {secret}" in err


def test_stats_count_by_kind_source_and_tier(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "journal", "stats", "--journal", str(journal.path), "--json")
    told = json.loads(out)
    assert code == 0
    assert told["seq"] == sum(told["kinds"].values()) == sum(told["sources"].values()) == 181
    assert (told["sources"]["replay:demo"], told["tiers"], told["jobs"]) == (12, {"-": 181}, 12)
    assert told["bytes"] == journal.path.stat().st_size
    assert told["complete_until"] == {"production": "2026-11-20T10:23:20+00:00"}
    _, out, _ = call(capsys, "journal", "stats", "--journal", str(journal.path), "--as-of", "15")
    assert "by source" in out
    assert "15 of 1 jobs" in out


def test_compact_says_sizes_and_keeps_off_while_a_recorder_runs(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--journal", str(journal.path)]
    with recorder_lock(journal.path):
        code, _, err = call(capsys, "journal", "compact", *place)
    assert code == 2
    assert "already records into it" in err
    head = journal.head()
    code, out, _ = call(capsys, "journal", "compact", *place, "--json")
    told = json.loads(out)
    assert (code, told["events"], told["hash"]) == (0, 181, head.hash)
    assert told["after_bytes"] == journal.path.stat().st_size <= told["before_bytes"]
    assert journal.head() == head
