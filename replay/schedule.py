"""When each submission of a run may start. Pure: moments in, seconds out; no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from harness.errors import ReplayError

_TIMES = re.compile(r"[x×]\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """At once, or at the distances at which the control began, divided by `speed`."""

    speed: float | None = None
    """None: as soon as possible."""

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read ``asap``, ``recorded`` or ``x10``. Raises ReplayError."""
        word = text.strip().lower()
        if word == "asap":
            return cls()
        if word == "recorded":
            return cls(speed=1.0)
        if (found := _TIMES.fullmatch(word)) and float(found[1]) > 0:
            return cls(speed=float(found[1]))
        raise ReplayError(
            f"schedule = {text!r} is none. Give asap, recorded, or how many times faster: x10."
        )

    def __str__(self) -> str:
        if self.speed is None:
            return "asap"
        return "recorded" if self.speed == 1 else f"x{self.speed:g}"

    def due_s(self, began_at: datetime | None, first: datetime | None) -> float:
        """Seconds after the start of the run at which a submission is due.

        began_at: when the control began it. first: when it began the first of the run. What the
        record gives no time for is due at once.
        """
        if self.speed is None or began_at is None or first is None:
            return 0.0
        return max(0.0, (began_at - first).total_seconds() / self.speed)
