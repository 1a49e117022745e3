"""When the dashboard leaves by itself: some seconds after its task has ended, unless a key says no.

No Textual here: the app asks, paints and leaves.
"""

from __future__ import annotations

from harness.tui.task import BackgroundTask, TaskState

CLOSING_S = 10
"""How long the dashboard stays after its task has ended, unless a key is pressed."""


class Closing:
    """Watches a task and counts down once it has ended."""

    def __init__(self, task: BackgroundTask) -> None:
        self._task = task
        self._left_s: int | None = None
        self._stays = False

    @property
    def counting(self) -> bool:
        """Whether the countdown runs."""
        return self._left_s is not None

    def ask(self) -> TaskState:
        """The task as it is now; its end starts the countdown."""
        finished = self._task.finished()
        if finished and not self.counting and not self._stays:
            self._left_s = CLOSING_S
        return TaskState(
            status=self._task.status(),
            progress=self._task.progress(),
            finished=finished,
            closes_in_s=self._left_s,
        )

    def count(self) -> bool:
        """One second has passed; True when it is time to leave."""
        if self._left_s is not None:
            self._left_s = max(0, self._left_s - 1)
        return self._left_s == 0

    def keep_open(self) -> None:
        """A key was pressed: stay until told to leave."""
        self._left_s, self._stays = None, True
