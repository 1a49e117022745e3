"""Runs the recorder of a rehearsal in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from harness.errors import EnvironmentProblem
from harness.record.progress import RecorderProgress
from harness.record.recorder import Recorder

_TICK_S = 0.05


class Recording:
    """A recorder beside the actors."""

    def __init__(self, recorder: Recorder, on_progress: Callable[[RecorderProgress], None]) -> None:
        self._recorder = recorder
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._proved = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def wait_until_proved(self, stop: threading.Event, *, timeout_s: float) -> None:
        """Wait until the record is proved complete to some moment, or `stop` is set.

        Until then nothing that happens would be proved. Raises what ended the recorder, and
        EnvironmentProblem where there is no proof in time.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._proved.wait(_TICK_S) and not stop.is_set():
            self.check()
            if time.monotonic() > deadline_s:
                raise EnvironmentProblem(
                    f"rehearsal: the recorder had proved nothing after {timeout_s:g} s. "
                    "Give the machine less to do beside it."
                )

    def check(self) -> None:
        """Raise what ended the recorder, if anything did."""
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Let it finish its last sweep; calling it twice is fine."""
        self._stop.set()
        self._thread.join()
        self.check()

    def _run(self) -> None:
        try:
            self._recorder.run(stop=self._stop, on_progress=self._note)
        except Exception as error:
            self._error = error

    def _note(self, progress: RecorderProgress) -> None:
        if progress.complete_until is not None:
            self._proved.set()
        self._on_progress(progress)
