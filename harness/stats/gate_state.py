"""One statistical gate kept up to date job by job, at a cost that does not grow. No I/O.

What a gate needs of all jobs so far is a few numbers per node (`betting.NODES`): the evidence for,
the evidence against and the drift detector, and where each first crossed its level. So one more
job costs the same after a hundred jobs as after a million.

A pending job stands at its worst on each side. Those before the first pending job are settled for
good and live in the state alone. Those from it on are also kept by value, the *tail*, because the
evidence at every one of them changes when it settles:

    add       O(J), whether or not anything is pending
    settle    O(1); the next look replays the tail once, O(T J) for T jobs in it
    headline  O((T + s) J + d J) for s jobs settled since the last time, d distinct values

T is at most the jobs that arrived within one deadline, since by then every job has settled. The
results are those of the batch functions over all jobs, up to the order of a sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.betting import (
    NODES,
    BestPrefix,
    Headline,
    best_prefix,
    factor_logs,
    log_mixture,
)
from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    bounds_pair,
    check_alpha,
    check_count,
    check_inner_share,
    check_share,
)
from harness.stats.drift import ALARM, detect, no_detection
from harness.stats.running import RunningInterval

_BLOCK = 4096
"""Jobs per vectorised step of a replay (1 MB per row of nodes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What one gate asks; raises StatsInputError naming the field outside its domain."""

    m: float
    """The threshold of the mean, in (0, 1)."""
    alpha: float
    """One-sided error of a pass."""
    alpha_fail: float
    """One-sided error of a fail; a share of alpha where several gates may fail."""
    n_min: int = 30
    """Shorter prefixes decide nothing."""
    alarm: float = ALARM
    """Mean number of jobs to a false drift alarm."""

    def __post_init__(self) -> None:
        check_inner_share("m", self.m)
        check_alpha("alpha", self.alpha)
        if self.alpha >= 0.5:
            raise StatsInputError("alpha", f"= {self.alpha!r} is not below 0.5, for each side")
        check_alpha("alpha_fail", self.alpha_fail)
        check_count("n_min", self.n_min, least=1)
        if not 1.0 <= self.alarm < math.inf:
            raise StatsInputError("alarm", f"= {self.alarm!r} is not a number of at least 1")


class GateState:
    """The evidence of one gate after the jobs so far, in the control's order.

    Jobs are numbered from 1 as they are added. A job that belongs before others that are there
    already, or an outcome that changes after it settled for good, needs a new state made by
    `extend` from all jobs.
    """

    __slots__ = (
        "_base",
        "_high",
        "_interval",
        "_levels",
        "_low",
        "_replayed",
        "_settled",
        "_sum",
        "pending",
        "settled",
    )

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._base = _Evidence(levels)
        self._interval = RunningInterval(alpha_total=2.0 * levels.alpha, n_min=levels.n_min)
        self._settled: list[float] = []
        """Jobs that the state has and the interval not yet."""
        self._low: list[float] = []
        self._high: list[float] = []
        self._replayed: _Evidence | None = self._base
        """The evidence with the tail; None where a job in the tail has changed since."""
        self.pending = 0
        """Jobs that have not settled wholly."""
        self.settled = 0
        """Jobs of which anything has settled."""
        self._sum = 0.0

    @property
    def n(self) -> int:
        """Jobs so far, pending ones included."""
        return self._base.n + len(self._low)

    @property
    def tail(self) -> int:
        """Jobs that are kept by value: those from the first pending one on."""
        return len(self._low)

    @property
    def value(self) -> float | None:
        """Mean share of what has settled, per job; None without any. A description."""
        return self._sum / self.settled if self.settled else None

    def add(self, low: float, high: float | None = None) -> int:
        """Count the next job by its worst and best case; return its number.

        `high` None: it has settled. Raises StatsInputError unless 0 <= low <= high <= 1.
        """
        low, high = _ends(low, high)
        self._describe(low, high, 1)
        if low < high or self._low:
            if self._replayed is self._base:
                self._replayed = self._base.copy()
            self._low.append(low)
            self._high.append(high)
        else:
            self._draw([low])
        if self._replayed is not None:
            self._replayed.step(low, high)
        return self.n

    def extend(self, low: npt.ArrayLike, high: npt.ArrayLike | None = None) -> None:
        """Count many jobs at once; the same as adding each, but vectorised.

        low, high: shape (n,), as for `harness.stats.betting.betting_interval`.
        """
        worst, best = bounds_pair(low, high)
        pending = np.flatnonzero(worst < best)
        head = 0
        if not self._low:
            head = int(pending[0]) if pending.size else worst.size
            self._base.advance(worst[:head], best[:head])
            self._draw(worst[:head].tolist())
        self._low.extend(worst[head:].tolist())
        self._high.extend(best[head:].tolist())
        self._replayed = None if self._low else self._base
        known = worst + (1.0 - best)
        has = known > 0.0
        self.pending += int(pending.size)
        self.settled += int(has.sum())
        self._sum += float(np.minimum(worst[has] / known[has], 1.0).sum())

    def settle(self, number: int, low: float, high: float | None = None) -> None:
        """Say more of job `number`: its outcome, or narrower ends while parts of it still pend.

        Raises StatsInputError if there is no such job, if it has settled otherwise, or if the new
        ends lie outside those known.
        """
        low, high = _ends(low, high)
        at = check_count("number", number, least=1) - 1 - self._base.n
        if at >= len(self._low):
            raise StatsInputError("number", f"= {number} is no job; there are {self.n}")
        if at < 0:
            raise StatsInputError(
                "number", f"= {number} has settled for good; start anew from all jobs"
            )
        was = self._low[at], self._high[at]
        if not (was[0] <= low and high <= was[1]):
            raise StatsInputError(
                "low", f"= {low!r}, high = {high!r} is outside the known {was[0]!r} to {was[1]!r}"
            )
        if (low, high) == was:
            return
        self._describe(*was, -1)
        self._describe(low, high, 1)
        self._low[at], self._high[at] = low, high
        self._replayed = None
        if at == 0 and low == high:
            self._absorb()

    @property
    def log_e_plus(self) -> float:
        """Log evidence against "the mean is at most m" after all jobs, the pending ones at 0."""
        return self._now().logs[0]

    @property
    def log_e_minus(self) -> float:
        """Log evidence against "the mean is at least m" after all jobs, the pending ones at 1."""
        return self._now().logs[1]

    @property
    def best_plus(self) -> BestPrefix:
        """The strongest evidence for that any prefix of at least n_min jobs gives."""
        return self._now().best[0]

    @property
    def best_minus(self) -> BestPrefix:
        """The strongest evidence against that any prefix of at least n_min jobs gives."""
        return self._now().best[1]

    @property
    def passed_at(self) -> int | None:
        """The first prefix of at least n_min jobs whose evidence reaches 1/alpha."""
        return self._now().crossed[0]

    @property
    def failed_at(self) -> int | None:
        """The first prefix of at least n_min jobs whose evidence against reaches 1/alpha_fail."""
        return self._now().crossed[1]

    @property
    def drifted_at(self) -> int | None:
        """The first job from `passed_at` on at which the drift alarm sounds."""
        return self._now().drifted_at

    def headline(self) -> Headline:
        """The interval to draw: `betting.headline` of all jobs at alpha_total = 2 alpha.

        Where the mean has not moved, its lower end is at least m exactly if the gate has passed.
        """
        self._interval.extend(self._settled)
        self._settled.clear()
        return self._interval.headline(self._low, self._high)

    def _draw(self, settled: list[float]) -> None:
        self._settled += settled
        if len(self._settled) >= _BLOCK:
            self._interval.extend(self._settled)
            self._settled.clear()

    def _now(self) -> _Evidence:
        if self._replayed is None:
            self._replayed = self._base.copy()
            self._replayed.advance(np.asarray(self._low), np.asarray(self._high))
        return self._replayed

    def _absorb(self) -> None:
        """Move what has settled at the head of the tail into the state."""
        head = next(
            (
                i
                for i, ends in enumerate(zip(self._low, self._high, strict=True))
                if len({*ends}) > 1
            ),
            len(self._low),
        )
        self._base.advance(np.asarray(self._low[:head]), np.asarray(self._high[:head]))
        self._draw(self._low[:head])
        del self._low[:head], self._high[:head]
        if not self._low:
            self._replayed = self._base

    def _describe(self, low: float, high: float, times: int) -> None:
        known = low + (1.0 - high)
        self.pending += times * (low < high)
        if known > 0.0:
            self.settled += times
            self._sum += times * min(low / known, 1.0)


class _Evidence:
    """What all prefixes of a sequence of jobs say: a few numbers per node, and where they led."""

    __slots__ = ("_levels", "_needed", "best", "crossed", "drifted_at", "logs", "n", "nodes")

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._needed = (-math.log(levels.alpha), -math.log(levels.alpha_fail))
        self.n = 0
        self.nodes: FloatArray = np.zeros((3, NODES.size))
        """Log wealth of the bets for and against, and log R of the detector; shape (3, J)."""
        self.nodes[2] = no_detection()
        self.logs = [0.0, 0.0, -math.inf]
        nothing = BestPrefix(log_e=-math.inf, n=0)
        self.best = [nothing, nothing]
        self.crossed: list[int | None] = [None, None]
        self.drifted_at: int | None = None

    def copy(self) -> _Evidence:
        other = _Evidence(self._levels)
        other.n, other.nodes, other.drifted_at = self.n, self.nodes.copy(), self.drifted_at
        other.logs, other.best, other.crossed = [*self.logs], [*self.best], [*self.crossed]
        return other

    def step(self, low: float, high: float) -> None:
        m = self._levels.m
        self.n += 1
        gains = np.array([[low / m - 1.0], [(1.0 - high) / (1.0 - m) - 1.0]])
        factors = np.log1p(gains * NODES)
        self.nodes[:2] += factors
        self.nodes[2] = np.logaddexp(self.nodes[2], 0.0) + factors[1]
        self.logs = log_mixture(self.nodes).tolist()
        if self.n < self._levels.n_min:
            return
        for side in (0, 1):
            log_e = self.logs[side]
            if log_e > self.best[side].log_e:
                self.best[side] = BestPrefix(log_e=log_e, n=self.n)
                # The first to reach the level is the best so far, so it cannot be missed here.
                if self.crossed[side] is None and log_e >= self._needed[side]:
                    self.crossed[side] = self.n
        if (
            self.drifted_at is None
            and self.crossed[0] is not None
            and self.logs[2] >= math.log(self._levels.alarm)
        ):
            self.drifted_at = self.n

    def advance(self, low: FloatArray, high: FloatArray) -> None:
        for start in range(0, low.size, _BLOCK):
            self._block(low[start : start + _BLOCK], high[start : start + _BLOCK])

    def _block(self, low: FloatArray, high: FloatArray) -> None:
        m = self._levels.m
        nodes = np.stack(
            (
                self.nodes[0] + np.cumsum(factor_logs(low, m, None), axis=0),
                self.nodes[1] + np.cumsum(factor_logs(1.0 - high, 1.0 - m, None), axis=0),
                detect(self.nodes[2], 1.0 - high, 1.0 - m),
            )
        )
        logs = log_mixture(nodes)
        self.nodes, self.logs = nodes[:, -1].copy(), logs[:, -1].tolist()
        # Prefixes of fewer than n_min jobs decide nothing.
        skipped = min(max(0, self._levels.n_min - 1 - self.n), low.size)
        before = self.n + skipped
        self.n += low.size
        logs = logs[:, skipped:]
        for side in (0, 1):
            best = best_prefix(logs[side])
            if best.log_e > self.best[side].log_e:
                self.best[side] = BestPrefix(log_e=best.log_e, n=before + best.n)
            if self.crossed[side] is None:
                self.crossed[side] = _first(logs[side] >= self._needed[side], before)
        if self.drifted_at is None and self.crossed[0] is not None:
            since = max(0, self.crossed[0] - before - 1)
            alarmed = logs[2, since:] >= math.log(self._levels.alarm)
            self.drifted_at = _first(alarmed, before + since)


def _first(hits: npt.NDArray[np.bool_], before: int) -> int | None:
    at = np.flatnonzero(hits)
    return before + int(at[0]) + 1 if at.size else None


def _ends(low: float, high: float | None) -> tuple[float, float]:
    low = check_share("low", low)
    high = low if high is None else check_share("high", high)
    if low > high:
        raise StatsInputError("low", f"= {low!r} is above high = {high!r}")
    return low, high
