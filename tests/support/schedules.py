"""Random schedules: what several writers, a janitor and a recorder do, in one order. No database.

A schedule is a list in which any step may be missing: a step that makes no sense where it stands
does nothing. So a schedule that fails can be cut down to the few steps that matter.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

SESSIONS = 4
AT_THE_GATE = 0
"""Not before a statement but while the recorder's last table is kept from it: the way into an
answer that it asks for at one go."""

_WRITERS = {
    "begin": 10,
    "insert history": 16,
    "insert": 9,
    "update": 14,
    "delete": 4,
    "savepoint": 3,
    "rollback to": 2,
    "commit": 12,
    "rollback": 3,
    "prepare": 3,
    "finish prepared": 3,
    "lock": 1,
    "dark": 1,
}
_JANITOR = {
    "vacuum": 2,
    "vacuum freeze": 2,
    "vacuum full": 1,
    "add column": 1,
    "drop column": 1,
    "rewrite": 1,
    "burn": 2,
}
_RECORDER = {
    "tick": 14,
    "sweep": 5,
    "compare": 2,
    "kill": 2,
    "terminate": 1,
    "revoke": 1,
    "hide": 1,
}
_DURING = {name: weight for name, weight in _WRITERS.items() if name not in ("lock", "dark")} | {
    "vacuum freeze": 1,
    "vacuum": 1,
}
_POLLS = ("tick", "sweep")
_MOTIFS = (
    ("begin", "tick", "insert history", "tick", "commit", "tick"),
    ("begin", "insert history", "tick", "prepare", "tick", "tick", "finish prepared", "tick"),
    ("dark", "begin", "insert history", "tick", "tick", "commit", "tick"),
    ("hide", "begin", "insert history", "tick", "tick", "commit", "tick", "hide"),
    ("begin", "savepoint", "insert", "rollback to", "insert", "sweep", "commit", "tick"),
    ("update", "sweep", "update", "vacuum freeze", "sweep", "kill", "sweep"),
    ("insert", "tick", "delete", "compare", "insert", "tick", "compare"),
    ("begin", "insert history", "tick", "tick with commit", "tick"),
    ("begin", "insert history", "sweep with commit", "tick", "tick"),
)
_CRASH = ("sweep", "burn", "sweep", "crash", "insert history", "insert", "sweep")
"""What is known to be dangerous, strewn among the rest: chance alone would seldom hit on it."""
_LONG_BURN_SHARE = 0.03
"""How often so many transaction numbers pass at once that no margin of the recorder's hides what
it believes of the older ones; that takes a second."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does. `pick` chooses among what there is: a row, a table, a way."""

    act: str
    session: int = 0
    pick: int = 0
    during: tuple[tuple[int, Step], ...] = ()
    """Of a poll: steps of others, each before the statement of this number, or AT_THE_GATE."""
    cut: int = 0
    """Of a poll: the connection ends before this statement."""
    takes: int | None = None
    """Of a poll: after so many batches the journal takes no more."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps, and how the recorder that meets them is set up."""

    seed: int
    steps: tuple[Step, ...]
    poor: bool
    """The recorder's role lacks pg_read_all_stats."""
    chunk_rows: int
    dear: tuple[str, ...]
    """Tables that its ticks cannot afford."""
    copied: bool
    """The first copy is one of its own; otherwise the first sweep reads everything."""
    patient: bool
    """It sweeps only when it is told to; otherwise also when a tick found that it should."""

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}, {'poor' if self.poor else 'privileged'} role, chunks of "
            f"{self.chunk_rows} rows, {'patient' if self.patient else 'eager'}, "
            f"{'copied first, ' if self.copied else ''}"
            f"too dear for ticks: {', '.join(self.dear) or 'nothing'}"
        ]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"{number:3} {_words(step)}")
            lines += [f"      {_place(before)}: {_words(one)}" for before, one in step.during]
        return "\n".join(lines)


def random_schedule(seed: int, *, poor: bool = False, restarts: bool = False) -> Schedule:
    """Return the schedule of this seed. restarts: the server is stopped or crashes now and then."""
    rng = random.Random(f"{seed} {poor} {restarts}")
    everything = _WRITERS | _JANITOR | _RECORDER
    if restarts:
        everything |= {"restart": 2, "crash": 3}
    steps = [Step("insert history", pick=rng.randrange(10_000)) for _ in range(3)]
    steps += [_step(rng, everything) for _ in range(rng.randint(10, 40))]
    for motif in [*rng.sample(_MOTIFS, 2), *([_CRASH] if restarts else [])]:
        _strew(rng, steps, motif)
    tables = ("jobs", "queue_history", "customers", "directory_submissions", "worker_status")
    return Schedule(
        seed=seed,
        steps=tuple(steps),
        poor=poor,
        chunk_rows=rng.choice((3, 10_000, 10_000, 10_000)),
        dear=tuple(name for name in tables if rng.random() < 0.15),
        copied=rng.random() < 0.15,
        patient=rng.random() < 0.5,
    )


def shrink(
    schedule: Schedule, fails: Callable[[Schedule], bool], *, budget_s: float = 120.0
) -> Schedule:
    """Return a schedule that still fails and from which nothing can be left out, if time allows."""
    ends_at = time.monotonic() + budget_s

    def still_fails(candidate: Schedule) -> bool:
        return time.monotonic() < ends_at and fails(candidate)

    size = max(1, len(schedule.steps) // 2)
    while True:
        smaller = _without_some(schedule, size, still_fails)
        if size == 1 and smaller == schedule:
            break
        schedule = smaller
        size = max(1, size // 2)
    for number, step in enumerate(schedule.steps):
        plainer = [
            replace(step, during=step.during[:one] + step.during[one + 1 :])
            for one in range(len(step.during))
        ] + [replace(step, during=()), replace(step, cut=0), replace(step, takes=None)]
        for candidate in plainer:
            changed = replace(
                schedule,
                steps=(*schedule.steps[:number], candidate, *schedule.steps[number + 1 :]),
            )
            if candidate != step and still_fails(changed):
                schedule, step = changed, candidate
    return schedule


def _without_some(schedule: Schedule, size: int, fails: Callable[[Schedule], bool]) -> Schedule:
    start = 0
    while start < len(schedule.steps):
        steps = schedule.steps[:start] + schedule.steps[start + size :]
        candidate = replace(schedule, steps=steps)
        if fails(candidate):
            schedule = candidate
        else:
            start += size
    return schedule


def _step(rng: random.Random, weights: dict[str, int]) -> Step:
    act = _choose(rng, weights)
    pick = rng.randrange(10_000)
    if act == "burn":
        pick = 66_000 if rng.random() < _LONG_BURN_SHARE else rng.randint(1, 40)
    step = Step(act=act, session=rng.randrange(SESSIONS), pick=pick)
    if act not in _POLLS:
        return step
    during = [(_moment(rng, act), _step(rng, _DURING)) for _ in range(rng.choice((0, 0, 1, 2, 4)))]
    return replace(
        step,
        during=tuple(sorted(during, key=lambda one: one[0])),
        cut=max(1, _moment(rng, act)) if rng.random() < 0.08 else 0,
        takes=rng.randint(0, 3) if rng.random() < 0.12 else None,
    )


def _moment(rng: random.Random, act: str) -> int:
    """When within a poll: a tick asks at one go, a sweep some forty times."""
    if act == "tick":
        return rng.choice((AT_THE_GATE, AT_THE_GATE, 1, 2))
    return rng.choice((AT_THE_GATE, rng.randint(1, 8), rng.randint(1, 45)))


def _strew(rng: random.Random, steps: list[Step], motif: Sequence[str]) -> None:
    session = rng.randrange(SESSIONS)
    place = rng.randint(3, len(steps))
    for words in motif:
        act, _, inside = words.partition(" with ")
        step = replace(_step(rng, {act: 1}), session=session)
        if inside:
            meanwhile = replace(_step(rng, {inside: 1}), session=session)
            step = Step(act, during=((_moment(rng, act), meanwhile),))
        steps.insert(place, step)
        place += rng.choice((1, 1, 1, 2, 3))


def _choose(rng: random.Random, weights: dict[str, int]) -> str:
    (act,) = rng.choices(tuple(weights), weights=tuple(weights.values()))
    return act


def _place(before: int) -> str:
    return "at the gate" if before == AT_THE_GATE else f"before statement {before}"


def _words(step: Step) -> str:
    words = f"{step.act} (session {step.session}, pick {step.pick})"
    if step.cut:
        words += f", cut before statement {step.cut}"
    if step.takes is not None:
        words += f", the journal takes {step.takes} batches"
    return words


def base_seed() -> int:
    """Return SHADOW_TEST_SEED, else a number that is new in every run.

    The workers of one run must collect the same tests, so it is drawn from what they share.
    """
    told = os.environ.get("SHADOW_TEST_SEED")
    if told:
        return int(told)
    return random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).randrange(1_000_000) * 1000
