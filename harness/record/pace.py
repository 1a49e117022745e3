"""Decides from measured cost what a tick may read. Pure: times come in as arguments."""

from __future__ import annotations

from collections.abc import Sequence

_SMOOTHING = 0.3


class Pace:
    """Keeps the recorder's share of the source's time small.

    Two budgets of the same size: full sweeps take at most `max_share` of the time, and so do the
    quick readings that every tick makes of the tables that are cheap enough for it.
    """

    def __init__(self, *, tick_s: float, min_interval_s: float, max_share: float) -> None:
        self._budget_s = tick_s * max_share
        self._min_interval_s = min_interval_s
        self._max_share = max_share
        self._cost_s: dict[str, float] = {}
        self._next_sweep_s = 0.0

    def sweep_due(self, now_s: float) -> bool:
        """True once enough time has passed since the last full sweep."""
        return now_s >= self._next_sweep_s

    def swept(self, *, cost_s: float, now_s: float) -> None:
        """A full sweep took `cost_s`; wait until its share is small enough."""
        pause_s = cost_s * (1 / self._max_share - 1)
        self._next_sweep_s = now_s + max(self._min_interval_s, pause_s)

    def read(self, table: str, cost_s: float) -> None:
        """Reading what is new in `table` took `cost_s`."""
        old = self._cost_s.get(table, cost_s)
        self._cost_s[table] = old + _SMOOTHING * (cost_s - old)

    def forget(self, table: str) -> None:
        """Give `table` another chance: what made it dear may be over."""
        self._cost_s.pop(table, None)

    def affordable(self, tables: Sequence[str]) -> list[str]:
        """Return the tables that a tick can read within its budget, cheapest first.

        A table that is too dear is left to the sweeps, which measure it again or let it be
        forgotten.
        """
        chosen: list[str] = []
        spent_s = 0.0
        for table in sorted(tables, key=lambda name: self._cost_s.get(name, 0.0)):
            spent_s += self._cost_s.get(table, 0.0)
            if spent_s > self._budget_s:
                break
            chosen.append(table)
        return chosen
