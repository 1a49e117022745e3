"""``shadow noise`` as a person or a script calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.main import run
from harness.model import EventDraft
from tests.support.events import at, make_control, make_job, make_replay
from tests.support.journals import make_journal, sound_job

HOST, OTHER = "maple-listings.example", "birch-index.example"
JOBS = 60
NAMES = {"name": "Maple Joinery"}
ODD = {"name": "Maple Joinery Ltd"}


def job_id(number: int) -> str:
    return f"{number:08d}-1111-4111-8111-111111111111"


def start(name: str, worker: str = "built-in") -> EventDraft:
    return EventDraft(
        source=f"replay:{name}", kind="replay.started", key=f"replay:{name}:started:0",
        occurred_at=at(90), payload={"run": name, "worker": worker, "selected": JOBS},
    )  # fmt: skip


def record(folder: Path, *runs: str, odd: Callable[[str, int], bool], jobs: int = JOBS) -> None:
    """Jobs of one directory each; run "fails" nothing, and sends another name where `odd` says."""
    events = [start(name) for name in runs]
    for number in range(jobs):
        id_ = job_id(number)
        events += [
            make_job(id_, second=number, created_at=at(number).isoformat()),
            make_control(job_id=id_, host=HOST, business=NAMES | {"email": "desk@maple.example"}),
        ]
        events += [
            make_replay(
                "submitted", accepted=1, run=name, job_id=id_, host=HOST,
                values=ODD if odd(name, number) else NAMES,
            )
            for name in runs
        ]  # fmt: skip
    make_journal(folder, events, name="shadow.duckdb")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["noise", *words])
    out, err = capsys.readouterr()
    return code, out, err


BOTH = ("--run", "one", "--run", "two")


def test_a_worker_that_does_the_same_wrong_thing_twice_is_no_noise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "one", "two", odd=lambda _, number: number % 2 == 0)
    code, out, err = call(capsys, *BOTH)
    header, *lines = [line.split("\t") for line in out.splitlines()]
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    assert code == 1
    assert [(row["verdict"], row["field"], row["jobs"]) for row in rows] == [
        ("signal", "values.name", "60"), ("within_noise", "outcome", "60"),
    ]  # fmt: skip
    assert (rows[0]["differs"], rows[0]["noise"], rows[0]["excess"]) == ("0.5", "0.0", "0.5")
    assert float(rows[0]["excess_low"]) > 0
    assert err.startswith("one judged by one and two: 1 signal, 1 within noise, as of seq ")


def test_a_worker_that_differs_from_itself_as_often_is_within_noise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "one", "two", odd=lambda name, n: n % 20 == (0 if name == "one" else 10))
    code, out, _ = call(capsys, *BOTH, "--json")
    told = json.loads(out)
    (name,) = [row for row in told["rows"] if row["field"] == "values.name"]
    assert code == 0
    assert name["raw"]["value"] == pytest.approx(0.05)
    assert name["noise"]["value"] == pytest.approx(0.10)
    assert name["verdict"] in ("within_noise", "too_noisy")
    assert told["alpha_per_row"] == pytest.approx(told["alpha"] / len(told["rows"]))


def test_a_fault_at_one_directory_shows_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "one", "two", odd=lambda _, __: True)
    code, out, _ = call(capsys, *BOTH, "--by", "directory", "--json")
    rows = json.loads(out)["rows"]
    assert code == 1
    assert (rows[0]["field"], rows[0]["directory"]) == ("values.name", HOST)
    assert {row["directory"] for row in rows} == {HOST}


def test_where_nothing_can_be_compared_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "one", "two", odd=lambda _, __: True, jobs=5)
    code, out, err = call(capsys, *BOTH)
    assert code == 3
    assert {line.split("\t")[0] for line in out.splitlines()[1:]} == {"too_few_jobs"}
    assert err.startswith("one judged by one and two: 2 too few jobs, as of seq ")


def test_a_field_that_wavers_too_much_is_named_and_not_called_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "one", "two", odd=lambda name, n: n % 5 == (0 if name == "one" else 2))
    code, out, err = call(capsys, *BOTH)
    assert code == 0, "the outcome could be compared"
    assert ["too_noisy", "values.name"] in [line.split("\t")[:2] for line in out.splitlines()]
    assert "1 row may have more noise than 20 %: silence there says nothing." in err


def test_noise_that_is_unknown_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replays = [make_replay("submitted", accepted=1, run=name) for name in ("one", "two")]
    events = [*sound_job(job_id(1), run=None), make_job(), make_control(), *replays]
    make_journal(tmp_path, events, name="shadow.duckdb")
    code, out, _ = call(capsys, *BOTH, "--mode", "live", "--json")
    rows = {row["field"]: row for row in json.loads(out)["rows"]}
    assert code == 3
    assert rows["outcome"]["verdict"] == "too_few_jobs"
    assert rows["values.name"]["verdict"] == "noise_unknown"
    assert rows["values.name"]["excess"] is None


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--run", "one"), "--run is given 1 times. Give two runs."),
        (("--run", "one", "--run", "one"), "--run one: a run does not differ from itself."),
        (("--run", "one", "--run", "live"), "--run live: no submission of such a replay"),
        (("--run", "one", "--run", "thre"), "Known runs: other, one, two."),
        ((*BOTH, "--mode", "tow"), "--mode tow: neither live nor a recorded replay."),
        (("--run", "one", "--run", "other"), "it ran the worker another, run one ran built-in"),
        ((*BOTH, "--alpha", "0"), "--alpha"),
    ],
)
def test_a_wrong_question_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], problem: str
) -> None:
    events = [start("one"), start("two"), start("other", "another"), make_job()]
    events += [make_replay("submitted", accepted=1, run=name) for name in ("one", "two", "other")]
    make_journal(tmp_path, events, name="shadow.duckdb")
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert problem.replace("other, one, two", "one, other, two") in err
    assert err.count("\n") == 1
