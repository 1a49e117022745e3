"""The two channels of this machine, really run and really written."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.notify.channels.channel import DeliveryError
from harness.notify.channels.command import CommandChannel
from harness.notify.channels.file import FileChannel
from harness.notify.message import check_message, to_record
from harness.notify.notifier import ATTEMPTS, deliver
from tests.support.processes import wait_for

MESSAGE = check_message("week.duckdb")


def python(code: str, *arguments: str, timeout_s: float = 20.0) -> CommandChannel:
    return CommandChannel([sys.executable, "-c", code, *arguments], timeout_s=timeout_s)


def refused(channel: CommandChannel | FileChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.send(MESSAGE)
    return caught.value


def test_a_command_gets_its_arguments_as_they_are_and_the_record_on_stdin(tmp_path: Path) -> None:
    out = tmp_path / "got $(id) *.json"
    copy = "import sys, shutil; shutil.copyfileobj(sys.stdin, open(sys.argv[1], 'w'))"
    python(copy, str(out)).send(MESSAGE)
    assert json.loads(out.read_text()) == to_record(MESSAGE)


def test_a_command_that_reads_nothing_or_says_a_lot_is_no_trouble() -> None:
    python("import sys; sys.stdout.write('x' * 10**6); sys.stderr.write('y' * 10**6)").send(MESSAGE)


def test_a_command_that_fails_is_tried_again_until_it_succeeds(tmp_path: Path) -> None:
    count = tmp_path / "count"
    fails_twice = (
        "import sys, pathlib; p = pathlib.Path(sys.argv[1]); "
        "p.write_text(p.read_text() + 'x' if p.exists() else 'x'); "
        "sys.exit(0 if len(p.read_text()) == 3 else 'not yet')"
    )
    waits: list[float] = []
    wait = lambda seconds: bool(waits.append(seconds))  # noqa: E731
    assert (
        deliver(python(fails_twice, str(count)), MESSAGE, wait=wait, rng=random.Random(1)) is None
    )
    assert count.read_text() == "xxx"
    assert len(waits) == 2


def test_a_command_that_goes_on_failing_is_told_with_its_last_words() -> None:
    channel = python("import sys; print('a\\nno route\\x1b[2J', file=sys.stderr); sys.exit(3)")
    failure = deliver(channel, MESSAGE, wait=lambda _: False, rng=random.Random(1))
    assert failure is not None
    where, _, words = failure.words.partition(" ended with exit code ")
    assert where == sys.executable
    assert words == f"3: no route [2J, after {ATTEMPTS} attempts"


def test_the_address_of_the_webhook_is_cut_out_of_what_a_command_says() -> None:
    url = "https://hooks.example/T0SECRET"
    code = f"import sys; sys.exit('cannot post to {url} now')"
    channel = CommandChannel([sys.executable, "-c", code], timeout_s=20.0, secrets=[url])
    assert refused(channel).words.endswith(": cannot post to [secret] now")


def test_a_command_whose_time_is_over_is_killed_with_all_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    )
    began_s = time.monotonic()
    failure = refused(python(code, str(pid), timeout_s=3.0))
    assert time.monotonic() - began_s < 30.0
    assert failure.again
    assert "was still running after 3 s" in failure.words
    child = int(pid.read_text())

    def gone() -> bool:
        return (
            not psutil.pid_exists(child)
            or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
        )  # fmt: skip

    wait_for(gone, what="the end of the child")


def test_a_command_that_is_not_there_is_not_tried_again(tmp_path: Path) -> None:
    failure = refused(CommandChannel([str(tmp_path / "none")], timeout_s=5.0))
    assert not failure.again
    assert "none cannot be run (No such file or directory)" in failure.words


def test_a_file_gets_a_whole_line_for_each_message(tmp_path: Path) -> None:
    path = tmp_path / "notices.jsonl"
    channel = FileChannel(path)
    channel.send(MESSAGE)
    with path.open("a") as file:
        file.write('{"torn": ')
    channel.send(MESSAGE)
    channel.send(MESSAGE)
    first, torn, *others = path.read_text().splitlines()
    assert torn == '{"torn": '
    assert [json.loads(line) for line in (first, *others)] == [to_record(MESSAGE)] * 3


def test_a_file_on_a_full_disk_keeps_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notices.jsonl"
    FileChannel(path).send(MESSAGE)
    before, write = path.read_bytes(), os.write

    def fills_up(descriptor: int, data: bytes) -> int:
        if len(data) < 50:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:-40])

    monkeypatch.setattr("os.write", fills_up)
    failure = refused(FileChannel(path))
    assert failure.words == f"{path} cannot be written (No space left on device)"
    assert path.read_bytes() == before


def test_a_file_in_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    failure = refused(FileChannel(tmp_path / "none" / "notices.jsonl"))
    assert "notices.jsonl cannot be written (No such file or directory)" in failure.words


def test_a_file_may_be_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        FileChannel(path).send(MESSAGE)
        assert json.loads(os.read(reader, 65536)) == to_record(MESSAGE)
    finally:
        os.close(reader)
