"""``shadow follow``: every change as a line, silence and trouble too, and no personal value."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run
from harness.journal.store import Journal, utc_now
from harness.model import Batch, EventDraft
from tests.support.events import at, make_control, make_history, make_job, make_plan
from tests.support.journals import make_journal, make_watermarks, sound_job
from tests.support.processes import Shadow

SOUND = "11111111-1111-4111-8111-111111111111"
ODD = "22222222-1111-4111-8111-111111111111"
RAW = ("555-0199", "555-0142", "5550199")
_SOON_S = 20.0


def odd_job() -> list[EventDraft]:
    """A job for which the candidate typed another phone."""
    typed = {"name": "Maple Joinery", "phone": "202-555-0199", "zip": "12207"}
    return [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, second=100, run=None)
    ]


def append(journal: Journal, events: list[EventDraft]) -> None:
    journal.append(Batch(events=tuple(events), watermarks=make_watermarks(at(5400))))


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["follow", *words])
    return code, *capsys.readouterr()


def soon(met: Callable[[], bool], told: Callable[[], str]) -> None:
    until = time.monotonic() + _SOON_S
    while not met():
        assert time.monotonic() < until, told()
        time.sleep(0.02)


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A sound job, recorded long ago."""
    monkeypatch.chdir(tmp_path)
    return make_journal(tmp_path, sound_job(SOUND, run=None), name="shadow.duckdb")


@pytest.fixture
def following(week: Journal, tmp_path: Path) -> Iterator[Shadow]:
    """The command over that journal, which has said where it begins."""
    shadow = Shadow(["follow", "--json", "--every", "50ms"], cwd=tmp_path)
    soon(lambda: "nothing has been recorded" in shadow.err, lambda: shadow.err)
    yield shadow
    shadow.kill_all()


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_what_changed_since_a_moment_is_told_once_and_masked(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = week.head().seq
    assert call(capsys, "--as-of", str(begun), "--once")[0] == 0
    append(week, odd_job())
    code, out, err = call(capsys, "--as-of", str(begun), "--once", "--json")
    told = [row for row in rows(out) if row["what"] == "difference"]
    assert code == 1
    assert [(row["change"], row["field"]) for row in told] == [("appeared", "values.phone")]
    assert (told[0]["job_id"], told[0]["seq"]) == (ODD, week.head().seq)
    assert "told 1 appeared, 0 changed, 0 gone; 1 difference as of seq" in err
    assert not any(value in out + err for value in RAW)
    back = call(capsys, "--as-of", str(week.head().seq), "--once", "--json")
    assert back[0] == 0
    assert "1 difference as of" in back[2]


def test_what_is_gone_is_masked_although_it_says_who_it_was_about_no_more(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "Maple Joyners Limited"
    failed = [e for e in sound_job(ODD, second=100, run=None) if (e.payload.get("event")) not in
              ("submitted", "job_finalized", "flow_completed")]  # fmt: skip
    failed = [make_plan({"name": wrong, "zip": "12207"}, job_id=ODD) if e.kind == "job_results"
              else e for e in failed]  # fmt: skip
    where: dict[str, Any] = {"job_id": ODD}
    append(week, [*failed, make_history("error", number=21, second=120,
                                        error=f"no page of {wrong}", **where)])  # fmt: skip
    begun = week.head().seq
    _, out, _ = call(capsys, "--as-of", "0", "--once")
    assert "values.name" in out
    assert "no page of" in out, out
    append(week, [make_plan({"name": "Maple Joinery", "zip": "12207"}, version=2, **where),
                  make_history("submitted", number=22, second=140, **where)])  # fmt: skip
    code, gone, _ = call(capsys, "--as-of", str(begun), "--once")
    assert gone.count("gone\tdifference") == 2
    assert "no page of" in gone
    assert code == 0
    assert wrong not in out + gone


def test_a_kind_that_is_chosen_is_heard_of_when_it_becomes_another(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = [make_job(ODD, second=100), make_control("submitted", job_id=ODD, second=160)]
    append(week, lost)
    begun = str(week.head().seq)
    append(week, [make_history("failed", number=2, job_id=ODD, second=170)])
    code, out, _ = call(capsys, "--as-of", begun, "--once", "--json", "--kind", "missing_candidate")
    told = [(row["change"], row["kind"]) for row in rows(out) if row["what"] == "difference"]
    assert told == [("changed", "candidate_failed")]
    assert code == 1


def test_a_table_in_a_pipe_names_its_columns_and_filters_choose(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = str(week.head().seq)
    append(week, odd_job())
    _, out, _ = call(capsys, "--as-of", begun, "--once")
    names, *lines = [line.split("\t") for line in out.splitlines()]
    assert {len(line) for line in lines} == {len(names)}
    assert "wrong_value" in {line[names.index("kind")] for line in lines}
    code, out, _ = call(capsys, "--as-of", begun, "--once", "--json", "--kind", "timeout")
    assert (code, [row for row in rows(out) if row["what"] != "recording"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--once"], "Give --as-of"),
        (["--kind", "wrong_valu"], "did you mean wrong_value?"),
        (["--mode", "liv"], "did you mean live?"),
        (["--every", "0s"], "Give more than 0"),
    ],
)
def test_a_mistake_is_one_line_with_its_mend(
    week: Journal, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    code, out, err = call(capsys, *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


def test_it_tells_what_is_recorded_meanwhile_and_that_somebody_records_again(
    week: Journal, following: Shadow
) -> None:
    append(Journal.open(week.path), odd_job())
    soon(lambda: "values.phone" in following.out, lambda: following.out + following.err)
    soon(lambda: "recorded again" in following.err, lambda: following.err)
    following.interrupt()
    ended = following.wait(_SOON_S)
    assert ended.code == 1
    assert [(r["what"], r["change"]) for r in rows(ended.out) if r["what"] != "finding"] == [
        ("recording", "silent"), ("difference", "appeared"), ("recording", "back"),
    ]  # fmt: skip
    assert not any(value in ended.out + ended.err for value in RAW)
    assert "Traceback" not in ended.err


def test_a_journal_that_is_away_is_told_once_and_another_one_begins_anew(
    week: Journal, following: Shadow, tmp_path: Path
) -> None:
    away = tmp_path / "away.duckdb"
    week.path.rename(away)
    soon(lambda: "unreadable" in following.out, lambda: following.out + following.err)
    time.sleep(0.5)
    assert following.out.count("unreadable") == 1
    away.rename(week.path)
    soon(lambda: "can be read again" in following.err, lambda: following.err)
    other = make_journal(tmp_path, [*sound_job(SOUND, run=None), *odd_job()], name="other.duckdb")
    shutil.move(other.path, week.path)
    soon(lambda: '"anew"' in following.out, lambda: following.out + following.err)
    following.interrupt()
    ended = following.wait(_SOON_S)
    assert "it is another journal" in ended.err
    # What another record differs in is no news of this one.
    assert "values.phone" not in ended.out
    assert ended.code == 0


def test_a_journal_that_cannot_be_read_in_the_end_is_no_good_news(
    week: Journal, following: Shadow
) -> None:
    week.path.unlink()
    soon(lambda: "unreadable" in following.out, lambda: following.out + following.err)
    following.interrupt()
    assert following.wait(_SOON_S).code == 2


def test_a_journal_that_is_recorded_now_is_not_called_silent(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    append(Journal.open(week.path), odd_job())
    assert utc_now() - week.head().recorded_at < timedelta(minutes=1)  # type: ignore[operator]
    _, out, err = call(capsys, "--as-of", "0", "--once", "--json")
    assert "silent" not in out
    assert "nothing has been recorded" not in err
