"""A program in a real terminal: tmux on a socket of its own, a pane of fixed size.

What stands in the pane is plain text; `panel` reads one frame of the dashboard out of it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TMUX = shutil.which("tmux")
_POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """What a program may have left of a terminal."""

    cursor: bool
    """Whether it is visible."""
    alternate: bool
    """Whether the alternate screen is shown."""
    mouse: bool
    """Whether the program is told of the mouse."""


class Pane:
    """A shell in a pane."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def _tmux(self, *arguments: str) -> str:
        command = [str(TMUX), "-L", self._socket, "-f", os.devnull, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def open(self, *, cwd: Path, width: int, height: int, environ: dict[str, str]) -> None:
        """Begin the shell."""
        # The pane has a size of its own, whatever the shell of who tests has been told.
        shell = ["env", "-u", "COLUMNS", "-u", "LINES", *(f"{n}={v}" for n, v in environ.items())]
        self._tmux(
            "new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(cwd),
            shlex.join([*shell, "sh"]),
        )  # fmt: skip

    def close(self) -> None:
        """End it and all that runs in it."""
        self._tmux("kill-server")

    def run(self, arguments: Sequence[str]) -> None:
        """Type a command line; waits for nothing."""
        self._tmux("send-keys", "-l", shlex.join(arguments))
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys by their names at tmux."""
        self._tmux("send-keys", *keys)

    def text(self) -> str:
        """What stands in the pane, line by line."""
        return self._tmux("capture-pane", "-p")

    def modes(self) -> Modes:
        """How the terminal is set by what was written to it."""
        flags = self._tmux(
            "display-message", "-p", "#{cursor_flag} #{alternate_on} #{mouse_any_flag}"
        )
        cursor, alternate, mouse = (flag == "1" for flag in flags.split())
        return Modes(cursor=cursor, alternate=alternate, mouse=mouse)

    def command(self) -> str:
        """The program in front."""
        return self._tmux("display-message", "-p", "#{pane_current_command}").strip()

    def wait_for(self, shown: Callable[[str], bool], *, what: str, timeout_s: float = 90.0) -> str:
        """The pane's text once it is so, and so a moment later: no half of a picture."""
        deadline = time.monotonic() + timeout_s
        before = ""
        while True:
            text = self.text()
            if shown(text) and _still(text) == _still(before):
                return text
            assert time.monotonic() < deadline, f"{what}: not within {timeout_s:g} s:\n{text}"
            before = text
            time.sleep(_POLL_S)


@contextmanager
def opened_pane(*, cwd: Path, width: int, height: int, environ: dict[str, str]) -> Iterator[Pane]:
    """A shell in a pane; ends with all that runs in it."""
    pane = Pane(f"shadow-test-{uuid.uuid4().hex[:12]}")
    pane.open(cwd=cwd, width=width, height=height, environ=environ)
    try:
        yield pane
    finally:
        pane.close()


def _still(text: str) -> str:
    """Without the ages, which count on by themselves."""
    return re.sub(r"[\d.]+ s ago|\d+m \d+s ago", "", text)


def panel(text: str, title: str) -> str:
    """The words in the frame whose title begins so, blanks collapsed."""
    return " ".join(" ".join(rows(text, title)).split())


def rows(text: str, title: str) -> list[str]:
    """The lines in the frame whose title begins so; the last one is its lower edge."""
    lines = text.splitlines()
    for top, line in enumerate(lines):
        if (left := line.find(f"╭─ {title}")) >= 0:
            right = line.index("╮", left)
            inside = []
            for below in lines[top + 1 :]:
                inside.append(below[left + 1 : right].strip("─ "))
                if below[left : left + 1] == "╰":
                    return inside
    raise AssertionError(f"no frame {title!r} in:\n{text}")
