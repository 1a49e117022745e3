"""The command: refuses without a terminal, and leaves cleanly with one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.journal.store import Journal
from harness.model import Batch
from tests.support.events import make_control, make_history, make_job
from tests.support.terminal import DEADLINE_S, OnTerminal

MODES = (b"\x1b[?1049", b"\x1b[?1000", b"\x1b[?1003", b"\x1b[?1006", b"\x1b[?2004")
"""Another screen, the mouse three ways, pasting: each must be off in the end."""
QUIT = b"M" + (15).to_bytes(4, "big") + b'{"type":"quit"}'
SHADOW = [sys.executable, "-m", "harness.cli"]
WATCH = [*SHADOW, "watch", "--journal"]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "week.duckdb"
    batch = Batch(events=(make_job(), make_control(), make_history("failed", number=1)))
    Journal.create(path).append(batch)
    return path


def shadow(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SHADOW, *arguments], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )


def test_without_a_terminal_it_refuses_in_one_line_and_names_the_report(journal: Path) -> None:
    ended = shadow("watch", "--journal", str(journal))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("shadow: watch needs a terminal")
    assert "shadow report" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_help_shows_an_example() -> None:
    ended = shadow("watch", "--help")
    assert ended.returncode == 0
    assert "shadow watch --journal week.duckdb --as-of" in ended.stdout


def test_no_help_loads_the_screen() -> None:
    code = (
        "import sys\n"
        "from harness.cli.main import run\n"
        "run(['--help']); run(['watch', '--help'])\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('textual', 'duckdb')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "words", "keys", "code"),
    [
        ([], "UNDECIDED", b"q", 0),
        (["--as-of", "2"], "THE PAST, NOT NOW", b"q", 0),
        ([], "UNDECIDED", b"\x03", 0),
    ],
)
def test_on_a_terminal_it_opens_and_leaves_at_a_key(
    journal: Path, arguments: list[str], words: str, keys: bytes, code: int
) -> None:
    with OnTerminal([*WATCH, str(journal), *arguments], {}) as terminal:
        terminal.wait_for(words)
        terminal.type(keys)
        assert terminal.end() == code


@pytest.mark.parametrize("keys", [b"q", b"\x03", b"@2\x03"], ids=["q", "ctrl-c", "in a form"])
def test_leaving_gives_the_terminal_back_as_it_was(journal: Path, keys: bytes) -> None:
    with OnTerminal([*WATCH, str(journal)], {}) as terminal:
        terminal.wait_for("UNDECIDED")
        terminal.type(keys)
        assert terminal.end() == 0
    last = {mode: terminal.output.rfind(mode + b"l") for mode in MODES}
    for mode, off in last.items():
        assert off > terminal.output.rfind(mode + b"h"), mode
    assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")


def test_in_a_browser_it_speaks_the_protocol_of_textuals_server(journal: Path) -> None:
    process = subprocess.Popen(
        [*SHADOW, "watch", "--journal", str(journal), "--fresh", "--look-only"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"},
    )  # fmt: skip
    said, _ = process.communicate(QUIT, timeout=DEADLINE_S)
    assert said.startswith(b"__GANGLION__\n")
    assert process.returncode == 0


def test_no_color_is_honoured(journal: Path) -> None:
    with OnTerminal([*WATCH, str(journal)], {"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("UNDECIDED")
        terminal.type(b"q")
        assert terminal.end() == 0
    assert set(terminal.colours()) <= {"grey"}
