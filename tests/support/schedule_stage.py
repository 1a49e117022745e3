"""What a schedule is run on: databases, the recorder's mode and its roles, and the gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.postgres import Production
from tests.support.schedule_hand import MakeSource
from tests.support.schedule_world import World
from tests.support.schedules import Step

RICH, POOR = "schedule_recorder", "schedule_recorder_poor"
"""The recorder's roles, with pg_read_all_stats and without."""
_GATE = "worker_status"
"""The table that a poll reads last."""
_WAITS = (
    "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE NOT granted AND relation = %s::regclass AND application_name = 'shadow-recorder'"
)
"""The recorder waits there. A writer that does is not meant: it would act beside the steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where schedules are run."""

    database: Callable[[], AbstractContextManager[Production]]
    """Makes one for a schedule."""
    make_source: MakeSource
    """The recorder's mode."""
    empty_journal: Path
    """Copying one is much quicker than making it."""
    again: Callable[[str], None] | None = None
    """Stops the server in this mode and starts it; None if it is not ours alone."""
    from_log: bool = False
    """The mode sees every version, also those that no snapshot shows."""


@dataclass(slots=True)
class Tally:
    """What a schedule came to."""

    rows: int = 0
    versions: int = 0
    unseen: int = 0
    polls: int = 0
    broken_polls: int = 0
    kills: int = 0
    refused: int = 0

    def __iadd__(self, other: Tally) -> Tally:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


@contextmanager
def gate(production: Production, world: World, steps: Sequence[Step]) -> Iterator[None]:
    """Keep the recorder from its last table until it waits there, and do the steps meanwhile."""
    if not steps:
        yield
        return
    failures: list[BaseException] = []
    left = threading.Event()

    def watch() -> None:
        try:
            with production.connect() as watcher:
                while not left.wait(0.002) and not watcher.execute(_WAITS, [_GATE]).fetchone():
                    pass
            for step in steps:
                world.act(step)
        except BaseException as error:
            failures.append(error)
        finally:
            keeper.rollback()

    with production.connect(autocommit=False) as keeper:
        try:
            keeper.execute(f"LOCK TABLE {_GATE} IN ACCESS EXCLUSIVE MODE NOWAIT".encode())
        except psycopg.errors.LockNotAvailable:
            keeper.rollback()
            yield
            return
        thread = threading.Thread(target=watch, name="gate")
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()
    if failures:
        raise failures[0]


def make_roles(production: Production, *, may_decode: bool) -> None:
    """Roles belong to the server, so a schedule that was cut short may have left them."""
    with production.connect() as owner:
        # A crash may be the first step.
        owner.execute("SET synchronous_commit = on")
        for role in (RICH, POOR):
            if not owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchall():
                owner.execute(f"CREATE ROLE {role} LOGIN".encode())
            word = "REPLICATION" if may_decode else "NOREPLICATION"
            owner.execute(f"ALTER ROLE {role} {word}".encode())
            owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
        owner.execute(f"GRANT pg_read_all_stats TO {RICH}".encode())
