"""The recorder as a supervisor runs it: the real command, started again whenever it has ended."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.processes import Ended, Shadow

_LOOK_EVERY_S = 1.0
_SETTLED_S = 30.0
"""So old is a recorder whose memory has come to rest."""
_PATIENCE_S = 120.0


@dataclass(slots=True)
class Memory:
    """Resident memory of one recorder, MB."""

    age_s: float = 0.0
    settled_mb: float | None = None
    last_mb: float = 0.0
    highest_mb: float = 0.0


class Supervised:
    """Runs ``shadow record`` for as long as the ``with`` block, one after the other."""

    def __init__(
        self, journal: Path, *, dsn: str, tick_s: float, folder: Path, mode: str = "poll"
    ) -> None:
        self.journal = journal
        self.ends: Counter[str] = Counter()
        """Why recorders ended: the first line of what they said, or the signal."""
        self.lives: list[Memory] = []
        self._arguments = [
            "record", "--journal", str(journal), "--tick", f"{tick_s}s", "--journal-wait", "3s",
            "--json",
        ]  # fmt: skip
        self._environ = {
            "SHADOW_DSN": dsn,
            "SHADOW_RECORD_MODE": mode,
            "SHADOW_RECORD_SWEEP_EVERY": "5s",
            "SHADOW_RECORD_RECONCILE_EVERY": "60s",
        }
        self._folder = folder
        self._shadow: Shadow | None = None
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="supervisor")
        self.failure: BaseException | None = None

    def __enter__(self) -> Supervised:
        self._start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._shadow is not None:
            self._shadow.kill_all()

    @property
    def is_running(self) -> bool:
        """False between the end of one recorder and the start of the next."""
        with self._lock:
            return self._shadow is not None and self._shadow.process.poll() is None

    def kill(self) -> None:
        """SIGKILL; the supervisor starts the next one."""
        with self._lock:
            if self._shadow is not None:
                self._shadow.kill_all()

    def run(self, *arguments: str) -> Ended:
        """Run one more recorder on the same journal to its end."""
        return Shadow([*self._arguments, *arguments], cwd=self._folder, environ=self._environ).wait(
            _PATIENCE_S
        )

    def end(self) -> Ended:
        """Stop as an administrator does; return how it ended."""
        self._stop.set()
        self._thread.join()
        assert self._shadow is not None
        if self._shadow.process.poll() is None:
            self._shadow.process.send_signal(signal.SIGTERM)
        return self._shadow.wait(_PATIENCE_S)

    def _start(self) -> None:
        with self._lock:
            self._shadow = Shadow(self._arguments, cwd=self._folder, environ=self._environ)
            self.lives.append(Memory())

    def _look_after(self) -> None:
        try:
            born_s = time.monotonic()
            while not self._stop.wait(_LOOK_EVERY_S):
                with self._lock:
                    assert self._shadow is not None
                    if self._shadow.process.poll() is None:
                        self._measure(self.lives[-1], time.monotonic() - born_s)
                    else:
                        self.ends[_why(self._shadow)] += 1
                        self._start()
                        born_s = time.monotonic()
        except BaseException as error:
            self.failure = error

    def _measure(self, life: Memory, age_s: float) -> None:
        assert self._shadow is not None
        try:
            used_mb = psutil.Process(self._shadow.process.pid).memory_info().rss / 1e6
        except psutil.Error:
            return
        life.age_s, life.last_mb = age_s, used_mb
        life.highest_mb = max(life.highest_mb, used_mb)
        if life.settled_mb is None and age_s >= _SETTLED_S:
            life.settled_mb = used_mb


def _why(shadow: Shadow) -> str:
    code = shadow.process.returncode
    if code < 0:
        return signal.Signals(-code).name
    said = [line for line in shadow.err.splitlines() if line.startswith("shadow: ")]
    words = said[-1].removeprefix("shadow: ") if said else shadow.err[-300:].replace("\n", " ")
    return re.sub(r"/\S*/|\d+", "…", f"exit {code}: {words}")
