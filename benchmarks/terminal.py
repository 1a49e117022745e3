"""A program in a terminal of its own, and when it has painted what."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

_LINES, _COLUMNS = 40, 120
_CODES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
_QUIT_S = 5.0


class Terminal:
    """Runs a command until the context ends; then q is pressed, and whoever stays is killed."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._painted = b""
        self.pid = 0

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            os.execve(self._command[0], self._command, self._environment)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        return self

    def wait_for(self, words: str, limit_s: float) -> float:
        """Seconds from the start until it paints these words; ends the benchmark if it does not."""
        for piece in self._pieces(self._began + limit_s):
            self._painted += piece
            if words.encode() in _CODES.sub(b"", self._painted):
                return time.perf_counter() - self._began
        raise SystemExit(f"{self._command[-1]} never showed {words}")

    def drain(self) -> None:
        """Read what it paints, so that it can go on, until it ends."""
        for _ in self._pieces(float("inf")):
            pass

    def _pieces(self, until: float) -> Iterator[bytes]:
        """What comes until then, or until the other side is gone."""
        while (left := until - time.perf_counter()) > 0:
            if not select.select([self._terminal], [], [], min(left, 1.0))[0]:
                continue
            try:
                piece = os.read(self._terminal, 65_536)
            except OSError:
                return
            if not piece:
                return
            yield piece

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A dashboard that is killed leaves its data's processes to notice; asked, it ends them.
        with contextlib.suppress(OSError):
            os.write(self._terminal, b"q")
            for _ in self._pieces(time.perf_counter() + _QUIT_S):
                pass
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)
