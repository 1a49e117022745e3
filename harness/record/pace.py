"""Decides from measured cost what a tick may read. Pure: times come in as arguments."""

from __future__ import annotations

from collections.abc import Sequence

_SMOOTHING = 0.3
FAILED_SWEEP_PAUSE_S = 900.0
"""Longest pause after a sweep that the source cut short; its cost may have been a bad moment's."""


class Pace:
    """Keeps the recorder's share of the source's time small.

    Two budgets of the same size: full sweeps take at most `max_share` of the time, and so do the
    quick readings that ticks make of the tables that are cheap enough for it. What the ticks do not
    use they may save up for as long as `min_interval_s`: a table that is a little too dear for
    every tick is read by every other one, and a slow moment costs a few ticks, not a minute.
    """

    def __init__(self, *, tick_s: float, min_interval_s: float, max_share: float) -> None:
        self._min_interval_s = min_interval_s
        self._max_share = max_share
        self._most_s = max(tick_s, min_interval_s) * max_share
        self._credit_s = tick_s * max_share
        self._credit_at_s: float | None = None
        self._cost_s: dict[str, float] = {}
        self._next_sweep_s = 0.0
        self._next_urgent_s = 0.0

    def sweep_due(self, now_s: float, *, urgent: bool = False) -> bool:
        """True once enough time has passed since the last full sweep.

        urgent: something waits for the sweep, so only its share of the time counts.
        """
        return now_s >= (self._next_urgent_s if urgent else self._next_sweep_s)

    def swept(self, *, cost_s: float, now_s: float) -> None:
        """A full sweep took `cost_s`; wait until its share is small enough."""
        self._next_urgent_s = now_s + self._pause_s(cost_s)
        self._next_sweep_s = max(now_s + self._min_interval_s, self._next_urgent_s)

    def failed(self, *, cost_s: float, now_s: float) -> None:
        """A full sweep took `cost_s` of the source's time and did not come to its end."""
        pause_s = min(self._pause_s(cost_s), FAILED_SWEEP_PAUSE_S)
        self._next_urgent_s = now_s + pause_s
        self._next_sweep_s = max(self._next_sweep_s, self._next_urgent_s)

    def read(self, table: str, cost_s: float) -> None:
        """A tick's reading of what is new in `table` took `cost_s`."""
        self.measured(table, cost_s)
        self.spent(cost_s)

    def spent(self, cost_s: float) -> None:
        """A tick's reading of several tables at once took `cost_s`."""
        self._credit_s -= cost_s

    def measured(self, table: str, cost_s: float) -> None:
        """Reading what is new in `table` would take a tick about `cost_s`."""
        old = self._cost_s.get(table, cost_s)
        self._cost_s[table] = old + _SMOOTHING * (cost_s - old)

    def forget(self, table: str) -> None:
        """Give `table` another chance: what made it dear may be over."""
        self._cost_s.pop(table, None)

    def affordable(self, tables: Sequence[str], now_s: float) -> list[str]:
        """Return the tables that a tick may read now, cheapest first.

        A table that is too dear is left to the sweeps, which measure it again or let it be
        forgotten.
        """
        if self._credit_at_s is not None:
            self._credit_s += (now_s - self._credit_at_s) * self._max_share
        self._credit_s = min(self._most_s, self._credit_s)
        self._credit_at_s = now_s
        chosen: list[str] = []
        spent_s = 0.0
        for table in sorted(tables, key=lambda name: self._cost_s.get(name, 0.0)):
            spent_s += self._cost_s.get(table, 0.0)
            if spent_s > self._credit_s:
                break
            chosen.append(table)
        return chosen

    def _pause_s(self, cost_s: float) -> float:
        return cost_s * (1 / self._max_share - 1)
