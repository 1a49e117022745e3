"""Runs the installed ``shadow`` as people do, and finds whatever it leaves behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SHADOW = Path(sys.executable).with_name("shadow")
_MARK = "TEST_RUN_MARK"
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Shadow:
    """One running ``shadow`` command in a process group and with an environment of its own."""

    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self._mark = uuid.uuid4().hex
        self._out = cwd / f"stdout-{self._mark[:6]}.txt"
        self._err = cwd / f"stderr-{self._mark[:6]}.txt"
        kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [str(SHADOW), *arguments],
                cwd=cwd,
                env=kept | dict(environ or {}) | {_MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        """What it has printed to stdout so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it has printed to stderr so far."""
        return self._err.read_text(encoding="utf-8")

    def interrupt(self) -> None:
        """Press Ctrl-C: the terminal sends SIGINT to every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, timeout_s: float) -> Ended:
        """Wait for its end; kill it and fail if it takes too long."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError(
                f"still running after {timeout_s:g} s; stderr: {self.err[-2000:]}"
            ) from None
        return Ended(code=code, out=self.out, err=self.err)

    def left_behind(self) -> list[psutil.Process]:
        """Processes that it started, at whatever remove, and that still run."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self._mark and process.is_running():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill_all(self) -> None:
        """SIGKILL for it and all that it started."""
        for process in self.left_behind():
            process.kill()
        self.process.wait()


def run_shadow(
    *arguments: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
) -> Ended:
    """Run one command to its end."""
    return Shadow(arguments, cwd=cwd, environ=environ).wait(timeout_s)


def wait_for(condition: Callable[[], bool], *, what: str, timeout_s: float = 30.0) -> None:
    """Wait until `condition` holds; fail naming `what` if it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(_POLL_S)


def kill_tree(pid: int) -> None:
    """SIGKILL a process and all below it, as the death of a machine would."""
    try:
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(tree, timeout=10)


def _is_ours(name: str) -> bool:
    """Settings of the developer's own shell; a test must not see them."""
    return name.startswith(("SHADOW_", "SQS_", "AWS_")) or name in ("DATABASE_URL", "NO_COLOR")
