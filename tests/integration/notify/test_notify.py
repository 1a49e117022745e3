"""``shadow notify`` on a real journal and a real receiver: once, again, and as a long watch."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.main import run
from harness.journal.store import Journal
from harness.model import Batch
from tests.support.events import make_control, make_job
from tests.support.journals import COMPLETE_UNTIL, make_journal, make_watermarks, sound_job
from tests.support.processes import Shadow, wait_for
from tests.support.receiver import SECRETS, Receiver, receiving, status, unused_url

ROOT = Path(__file__).parents[3]
NAME = "week.duckdb"
LOST = "22222222-2222-4222-8222-222222222222"
PATIENCE_S = 120.0
HOOK = "SHADOW_NOTIFY_WEBHOOK"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("SHADOW_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("harness.notify.backoff.FIRST_S", 0.01)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A sound job and nothing to remark."""
    return make_journal(tmp_path, sound_job(), name=NAME)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv(HOOK, found.url)
        yield found


def lose(journal: Journal, job_id: str = LOST) -> None:
    """Record a job that never reached the new queue."""
    events = (make_job(job_id), make_control("submitted", job_id=job_id, second=60))
    journal.append(Batch(events=events, watermarks=make_watermarks(COMPLETE_UNTIL)))


def appear(folder: Path) -> None:
    """Let a journal with events be there from one moment to the next."""
    aside = folder / "aside"
    aside.mkdir()
    make_journal(aside, sound_job(), name=NAME).path.rename(folder / NAME)


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["notify", "--journal", NAME, *words])
    out, err = capsys.readouterr()
    assert not [secret for secret in SECRETS if secret in out + err]
    return code, out, err


def texts(receiver: Receiver) -> list[str]:
    return [body["text"] for body in receiver.taken]


def test_without_a_channel_it_says_how_to_switch_one_on(
    journal: Journal, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for words in ((), ("--dry-run",), ("--watch",), ("--test",)):
        code, out, err = call(capsys, *words)
        assert (code, out) == (2, "")
        (line,) = err.splitlines()
        assert "export SHADOW_NOTIFY_WEBHOOK=https://…, or set notify.command" in line
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_first_look_tells_where_it_stands_and_the_second_nothing(
    journal: Journal, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys) == (0, "webhook: told where the journal stands as of seq 15\n", "")
    assert call(capsys) == (0, "webhook: nothing to say as of seq 15\n", "")
    (text,) = texts(receiver)
    assert text.startswith("~ UNDECIDED: week.duckdb, seq 15, 20 Nov 2026")
    assert "This is a first look" in text


def test_a_lost_job_is_told_once_with_the_gates_it_fails(
    journal: Journal, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys)
    lose(journal)
    assert call(capsys)[:2] == (0, "webhook: told 5 changes as of seq 17\n")
    assert call(capsys)[:2] == (0, "webhook: nothing to say as of seq 17\n")
    _, text = texts(receiver)
    # The page shows this very message, but for the time at which the job was recorded.
    page = (ROOT / "docs" / "notify.md").read_text()
    (shown,) = re.findall(r"^```text\n(.*?)\n```$", page, re.M | re.S)
    assert text.splitlines()[1:] == shown.splitlines()[1:]
    assert "Decision: UNDECIDED → NO-GO. 3 required gates fail" in text
    assert "Gate “Zero data loss” (shadow.zero_loss): open → fail." in text
    assert f"(never_enqueued, live): 1 new case (job {LOST}); 1 now." in text


def test_what_could_not_be_delivered_is_said_and_told_at_a_later_look(
    journal: Journal, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys)
    lose(journal)
    receiver.answers.extend([status(500)] * 4)
    assert call(capsys) == (
        2, "", "webhook: not delivered: the receiver answered 500, after 4 attempts. "
        "The next look tries again.\n",
    )  # fmt: skip
    assert call(capsys)[0] == 0
    assert "Late: telling this failed at 1 look," in texts(receiver)[1]
    assert call(capsys)[1] == "webhook: nothing to say as of seq 17\n"


def test_a_receiver_that_asks_for_a_long_pause_is_left_alone(
    journal: Journal, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.answers.append(status(429, Retry_After="3600"))
    assert "the receiver answered 429" in call(capsys)[2]
    code, _, err = call(capsys)
    assert (code, len(receiver.got)) == (2, 1)
    assert "the receiver asked for a pause until" in err


def test_one_channel_that_fails_keeps_no_other_from_being_told(
    journal: Journal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOOK, unused_url())
    monkeypatch.setenv("SHADOW_NOTIFY_FILE", "notices.jsonl")
    for _ in range(2):
        code, _, err = call(capsys)
        assert code == 2
        assert err.startswith("webhook: not delivered: the receiver cannot be reached, after 4")
    (line,) = Path("notices.jsonl").read_text().splitlines()
    assert json.loads(line)["kind"] == "first_look"


def test_the_limit_holds_back_and_says_until_when(
    journal: Journal,
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHADOW_NOTIFY_PER_HOUR", "1")
    call(capsys)
    lose(journal)
    code, out, err = call(capsys)
    assert (code, err, len(receiver.got)) == (0, "", 1)
    assert "held back until" in out


def test_a_command_and_a_file_are_set_in_the_settings(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = "import sys, shutil; shutil.copyfileobj(sys.stdin, open('got.json', 'w'))"
    Path("shadow.toml").write_text(
        f'[notify]\ncommand = {json.dumps([sys.executable, "-c", copy])}\nfile = "notices.jsonl"\n'
    )
    assert call(capsys)[0] == 0
    assert json.loads(Path("got.json").read_text()) == json.loads(Path("notices.jsonl").read_text())


def test_a_dry_run_prints_what_would_be_told_and_leaves_no_trace(
    journal: Journal, receiver: Receiver, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for _ in range(2):
        code, out, err = call(capsys, "--dry-run")
        assert (code, err) == (0, "webhook: would be told\n")
        assert out.startswith("~ UNDECIDED: week.duckdb, seq 15")
    assert receiver.got == []
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    call(capsys)
    assert call(capsys, "--dry-run") == (0, "", "webhook: nothing would be told now\n")


def test_a_test_message_needs_no_journal_and_changes_nothing(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(capsys, "--test") == (0, "webhook: delivered\n", "")
    assert texts(receiver)[0].startswith("Test: shadow notify reaches this channel")
    receiver.answers.append(status(404))
    code, _, err = call(capsys, "--test")
    assert code == 2
    assert "SHADOW_NOTIFY_WEBHOOK is wrong or was revoked" in err
    assert list(tmp_path.iterdir()) == []


def test_a_lost_state_is_a_first_look_again_and_a_foreign_file_is_left_alone(
    journal: Journal, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys)
    state = Path(f"{NAME}.notify.json")
    state.write_text(state.read_text()[:200])
    code, out, err = call(capsys)
    assert (code, out) == (0, "webhook: told where the journal stands as of seq 15\n")
    assert err == f"notify: {state} is damaged; starting anew.\n"
    Path("shadow.toml").write_text('[notify]\nstate = "shadow.toml"\n')
    code, _, err = call(capsys)
    assert code == 2
    assert "shadow.toml: is no state file of shadow notify" in err
    assert Path("shadow.toml").read_text().startswith("[notify]")


def test_a_journal_that_is_missing_or_empty_is_said_and_fails(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = call(capsys)
    assert (code, err) == (
        2, f"journal: {NAME}: there is no journal. Record one with: shadow record\n",
    )  # fmt: skip
    make_journal(tmp_path, name=NAME)
    code, _, err = call(capsys)
    assert code == 2
    assert "the journal is empty" in err


def test_a_state_that_cannot_be_written_tells_nothing(
    journal: Journal,
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    code, _, err = call(capsys)
    assert (code, receiver.got) == (2, [])
    assert "cannot be written (No space left on device), so nothing is told" in err


@pytest.mark.parametrize(
    ("words", "mend"),
    [(("--watch", "--dry-run"), "exclude each other"), (("--test", "--dry-run"), "exclude"),
     (("--every", "5s"), "--every is for --watch"), (("--watch", "--every", "0"), "more than 0")],
)  # fmt: skip
def test_options_that_contradict_each_other_are_refused(
    words: tuple[str, ...], mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert mend in err


@pytest.mark.parametrize(
    ("name", "value"),
    [("SHADOW_NOTIFY_FILE", "https://hooks.example/hunter2"),
     ("SHADOW_NOTIFY_STATE", "https://hooks.example/hunter2"),
     ("SHADOW_NOTIFY_PER_HOUR", "https://hooks.example/hunter2"),
     ("SHADOW_NOTIFY_WEBHOOK_URL", "https://hooks.example/hunter2"),
     ("SHADOW_NOTIFY_COMMAND", "curl 'https://hooks.example/hunter2"),
     (HOOK, "http://hooks.example/hunter2")],
)  # fmt: skip
def test_an_address_in_the_wrong_place_is_refused_and_not_shown(
    name: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, value)
    code, out, err = call(capsys)
    assert (code, out) == (2, "")
    assert name in err


@pytest.mark.parametrize("line", ['webhook = "X"', 'webhook_url = "X"', 'url = "X"'])
def test_an_address_in_the_settings_file_is_refused_with_where_it_belongs(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("shadow.toml").write_text(f"[notify]\n{line.replace('X', 'https://a.example/hunter2')}\n")
    code, _, err = call(capsys)
    assert code == 2
    assert "is a secret: set SHADOW_NOTIFY_WEBHOOK in the environment" in err
    Path("shadow.toml").write_text('notify = "https://a.example/hunter2"\n')
    assert call(capsys)[0] == 2


@pytest.fixture
def watch(tmp_path: Path, receiver: Receiver) -> Iterator[Shadow]:
    """A watch of a journal that is not there yet, in a process of its own."""
    environ = {
        HOOK: receiver.url, "SHADOW_NOTIFY_QUIET": "0", "SHADOW_NOTIFY_PER_HOUR": "100",
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    words = ("notify", "--journal", NAME, "--watch", "--every", "0.2s")
    shadow = Shadow(words, cwd=tmp_path, environ=environ)
    try:
        yield shadow
    finally:
        shadow.kill_all()


def test_a_watch_outlives_a_journal_that_is_missing_and_follows_one_that_grows(
    watch: Shadow, receiver: Receiver, tmp_path: Path
) -> None:
    def told(words: str) -> None:
        wait_for(
            lambda: any(words in text for text in texts(receiver)),
            what=words,
            timeout_s=PATIENCE_S,
        )

    told("The journal cannot be read, so nothing is known: week.duckdb: there is no journal.")
    appear(tmp_path)
    journal = Journal(tmp_path / NAME)
    told("This is a first look")
    lose(journal)
    told("1 new case")
    lose(journal, LOST.replace("2", "3"))
    told("2 now.")
    watch.process.send_signal(signal.SIGTERM)
    ended = watch.wait(PATIENCE_S)
    assert (ended.code, ended.err.splitlines()) == (
        0,
        [
            f"journal: {NAME}: there is no journal. Record one with: shadow record",
            "journal: can be read again",
            "Stopping …",
        ],
    )
    assert not [secret for secret in SECRETS if secret in ended.out + ended.err]
    assert len(texts(receiver)) == len(set(texts(receiver)))


def test_a_second_process_on_the_same_state_is_refused(
    watch: Shadow, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_for(lambda: bool(receiver.taken), what="a first message", timeout_s=PATIENCE_S)
    code, _, err = call(capsys)
    assert code == 2
    assert "another shadow notify is at work on it" in err


def test_a_watch_that_is_stopped_while_it_owes_something_says_so_by_its_exit_code(
    watch: Shadow, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers.extend([status(404)] * 1000)
    appear(tmp_path)
    failure = "not delivered: the receiver answered 404"
    wait_for(lambda: failure in watch.err, what=failure, timeout_s=PATIENCE_S)
    watch.interrupt()
    ended = watch.wait(PATIENCE_S)
    assert ended.code == 2
    assert ended.err.count("not delivered") == 1
