"""Runs the recorder of a rehearsal in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.record.progress import RecorderProgress
from harness.record.recorder import Recorder


class Recording:
    """A recorder beside the actors."""

    def __init__(self, recorder: Recorder, on_progress: Callable[[RecorderProgress], None]) -> None:
        self._recorder = recorder
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

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
            self._recorder.run(stop=self._stop, on_progress=self._on_progress)
        except Exception as error:
            self._error = error
