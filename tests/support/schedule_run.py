"""Runs a schedule against a real server and a real journal, and checks what was recorded.

After every poll: nothing is claimed to be complete that is not. At the end: everything is there,
once, and as it was committed.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from harness.journal.verify import verify
from harness.model import EventKind
from harness.record.chunk import Done
from harness.record.writer import PRODUCTION, PRODUCTION_FAST
from tests.support.postgres import Production
from tests.support.schedule_hand import Hand, MirroredJournal
from tests.support.schedule_stage import POOR, RICH, Stage, Tally, gate, make_roles
from tests.support.schedule_truth import HISTORY, TABLE_KEYS, Recorded, Truth, same
from tests.support.schedule_world import World
from tests.support.schedules import AT_THE_GATE, Schedule, Step
from tests.support.wire import CutError, Wire


class BrokenPromiseError(AssertionError):
    """The recorder did not keep what it promises; one line for each broken promise."""


def run_schedule(schedule: Schedule, stage: Stage) -> Tally:
    """Run it on a database and a journal of its own. Raises BrokenPromiseError."""
    with (
        stage.database() as production,
        tempfile.TemporaryDirectory(prefix="shadow-schedule-") as folder,
        closing(_Run(schedule, stage, production, Path(folder))) as run,
    ):
        try:
            run.play()
        except BrokenPromiseError as failure:
            raise BrokenPromiseError(f"{failure}\n{schedule}") from None
        except Exception as error:
            error.add_note(str(schedule))
            raise
        return run.tally


@dataclass(slots=True)
class _Run:
    schedule: Schedule
    stage: Stage
    production: Production
    folder: Path
    tally: Tally = field(default_factory=Tally)
    truth: Truth = field(init=False)
    world: World = field(init=False)
    wire: Wire = field(init=False)
    hand: Hand = field(init=False)
    journal: MirroredJournal = field(init=False)
    revoked: bool = False
    hidden: bool = False

    def __post_init__(self) -> None:
        make_roles(self.production, may_decode=self.stage.from_log)
        self.truth = Truth(from_log=self.stage.from_log)
        self.world = World(self.production, self.truth, again=self.stage.again)
        role = POOR if self.schedule.poor else RICH
        dsn = make_conninfo(self.production.recorder_dsn, user=role)
        self.wire = Wire(dsn).__enter__()
        path = self.folder / "week.duckdb"
        shutil.copyfile(self.stage.empty_journal, path)
        self.journal = MirroredJournal(path)
        self.hand = Hand(self.wire.route(dsn), self.journal, self.schedule, self.stage.make_source)

    def close(self) -> None:
        self.hand.kill()
        self.wire.__exit__(None, None, None)
        self.world.close()

    def play(self) -> None:
        if self.stage.from_log and self._poll(Step("sweep")) is None:
            raise BrokenPromiseError("the log of a quiet source could not be followed")
        for step in self.schedule.steps:
            self._act(step)
        self.world.settle()
        for act, taken in (("revoke", self.revoked), ("hide", self.hidden)):
            if taken:
                self._act(Step(act))
        self._finish()

    def _act(self, step: Step) -> None:
        match step.act:
            case "tick" | "sweep":
                self._poll(step)
            case "compare":
                self._compare()
            case "kill":
                self.hand.kill()
                self.tally.kills += 1
            case "terminate":
                self.production.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE application_name = 'shadow-recorder' AND datname = current_database()"
                )
            case "revoke":
                change = "GRANT SELECT ON jobs TO" if self.revoked else "REVOKE SELECT ON jobs FROM"
                self.revoked ^= self.world.grant(f"{change} {RICH}, {POOR}")
            case "hide":
                change = "GRANT {} TO" if self.hidden else "REVOKE {} FROM"
                self.hidden ^= self.world.grant(f"{change.format('pg_read_all_stats')} {RICH}")
            case _:
                self.world.act(step)

    def _poll(self, step: Step) -> Done | None:
        waiting = [one for one in step.during if one[0] != AT_THE_GATE]

        def before(number: int) -> None:
            while waiting and waiting[0][0] <= number:
                self.world.act(waiting.pop(0)[1])
            if number == step.cut:
                raise CutError

        self.wire.listen(before)
        at_the_gate = [one for number, one in step.during if number == AT_THE_GATE]
        with gate(self.production, self.world, at_the_gate):
            done = self.hand.poll(full=step.act == "sweep", takes=step.takes)
        self.wire.listen(None)
        if self.wire.failure is not None:
            raise self.wire.failure
        for _, late in waiting:
            self.world.act(late)
        self.tally.polls += 1
        self.tally.broken_polls += done is None
        if done is not None:
            self._check_claims(done)
        return done

    def _compare(self) -> bool:
        """Find what is gone; the comparison may find nothing else, or a sweep had missed it."""
        counted = self.hand.compare()
        for table, counts in (counted or {}).items():
            if counts["missed"] or counts["changed"]:
                raise BrokenPromiseError(f"the sweeps of {table} had missed something: {counts}")
        return counted is not None

    def _check_claims(self, done: Done) -> None:
        record = self._record()
        claims = [(done.tables, done.mark.at)]
        claims += [
            (mark.position["tables"], mark.complete_until)
            for name, mark in self.journal.marks.items()
            if name in (PRODUCTION, PRODUCTION_FAST)
        ]
        for tables, until in claims:
            _judge(self.truth.false_claims(record, tables, until))

    def _finish(self) -> None:
        """Quiescence: two ticks may be the last word where they may prove something."""
        for table in TABLE_KEYS:
            ours, theirs = self.truth.live(table), self.world.rows(table)
            if ours.keys() != theirs.keys() or any(
                not same(ours[key], theirs[key]) for key in ours
            ):
                raise AssertionError(f"the test's own truth of {table} is wrong\n{self.schedule}")
        self._poll(Step("tick"))
        last = self._poll(Step("tick"))
        if last is not None and last.tier == "fast" and last.since is not None:
            _judge(self.truth.missing(self._record(), last.tables))
        swept = self._poll(Step("sweep"))
        if swept is None or not swept.complete:
            raise BrokenPromiseError("the last sweep of a quiet source did not end well")
        ticked = self._poll(Step("tick"))
        dear = HISTORY in self.schedule.dear
        if not self.schedule.poor and not dear and (ticked is None or HISTORY not in ticked.tables):
            raise BrokenPromiseError("a tick of a quiet source with every privilege proves nothing")
        before = len(self.journal.record)
        if self.hand.poll(full=True) is None or len(self.journal.record) > before:
            raise BrokenPromiseError("a quiet source has news")
        if not self._compare():
            raise BrokenPromiseError("the comparison of a quiet source did not end well")
        self._check_journal()

    def _check_journal(self) -> None:
        with self.journal.reader() as reader:
            rows = reader.rows("SELECT key, kind, payload FROM events_now ORDER BY seq")
        if [key for key, _, _ in rows] != list(self.journal.record):
            raise BrokenPromiseError("the journal holds other events than it was given")
        record = [one for one in map(_recorded, rows) if one is not None]
        problems = self.truth.false_records(record)
        problems += self.truth.missing(record, TABLE_KEYS)
        twice = Counter(one.row for one in record if one.table == HISTORY) - Counter(
            {(HISTORY, key): 1 for key in self.truth.live(HISTORY)}
        )
        problems += [f"{HISTORY} {key}: recorded more than once" for _, key in twice]
        problems += self.truth.false_deletes(record)
        unseen = self.truth.unseen_versions(record)
        told = [kind for _, kind, _ in rows if kind == EventKind.RECORD_GAP]
        if self.stage.from_log and unseen and not told:
            problems.append(f"{unseen} versions are in the log and not in the record")
        verification = verify(self.journal.path)
        problems += verification.problems
        _judge(problems)
        self.tally.rows = len(self.truth.versions)
        self.tally.versions = len(record)
        self.tally.unseen = unseen
        self.tally.refused = self.world.refused

    def _record(self) -> list[Recorded]:
        found = (
            _recorded((event.key, event.kind, event.payload))
            for event in self.journal.record.values()
        )
        return [one for one in found if one is not None]


def _recorded(event: tuple[str, str, Any]) -> Recorded | None:
    _, kind, payload = event
    told = json.loads(payload) if isinstance(payload, str) else payload
    if kind == EventKind.ROW_DELETED:
        identity = told["identity"]
        if not isinstance(identity, str):
            identity = identity[TABLE_KEYS[told["table"]]]
        return Recorded(table=told["table"], key=identity, payload=None)
    if kind not in TABLE_KEYS:
        return None
    return Recorded(table=kind, key=str(told[TABLE_KEYS[kind]]), payload=told)


def _judge(problems: Sequence[str]) -> None:
    if problems:
        raise BrokenPromiseError("\n".join(problems))
