"""A program on a pseudo-terminal of 120×40: what it paints, and what is typed there."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence

DEADLINE_S = 60.0
_CODES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
_SCREENS = 1 << 18
"""So many bytes hold the screen that was painted last, and some before it."""


class OnTerminal:
    """A command that ends, at the latest, with the context.

    environment: what its own has beside this process's.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.master, slave = pty.openpty()
        self.output = b""
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            close_fds=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor",
                 "COLUMNS": "120", "LINES": "40", **environment},
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> OnTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)

    def wait_for(self, words: str, *, within_s: float = DEADLINE_S) -> float:
        """Read until `words` have been painted; seconds since the start.

        AssertionError after the deadline.
        """
        deadline = time.monotonic() + within_s
        while words.encode() not in _CODES.sub(b"", self.output[-_SCREENS:]):
            assert time.monotonic() < deadline, self.output[-2000:]
            assert self._read(), self.output[-2000:]
        return time.monotonic() - self._began

    def type(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.master, keys)

    def end(self) -> int:
        """Read the rest; return the exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            self._read()
        return self.process.returncode

    def colours(self) -> list[str]:
        """Every colour that was sent: grey where red, green and blue are equal."""
        sent = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", self.output)
        return ["grey" if len(set(rgb)) == 1 else "colour" for rgb in sent]

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], 0.5)
        if not ready:
            return self.process.poll() is None
        try:
            part = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += part
        return bool(part)
