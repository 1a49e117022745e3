"""Carries out submissions by stacks in slots: a message in, and the outcome from the tables.

Each stack has a slot with three hatches, a database and queues of its own, and one submission at a
time. What belongs to a submission is then told by when it came, as for every other program.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import EnvironmentProblem, ReplayError
from harness.model import Claim
from replay.evidence.capture import Capture
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.seal.endings import end_of, failed, last_words, version_of
from replay.seal.isolation import SlotLayer, find_isolation
from replay.seal.process import SlotProcess
from replay.seal.slot import Slot, SlotLostError
from replay.select import Replayable
from replay.submission import Finished
from replay.worker.stack.database import StackDatabase, check_database, drop_left_over
from replay.worker.stack.database_hatch import DatabaseHatch
from replay.worker.stack.environment import stack_environment
from replay.worker.stack.message import StackJob, job_message
from replay.worker.stack.plan_hatch import PlanHatch
from replay.worker.stack.queue_hatch import QueueHatch
from replay.worker.stack.queues import StackQueues, Standing, delete_left_over
from replay.worker.stack.threads import in_thread
from replay.worker.stack.told import TableReader, Told
from replay.worker.stack.worker import StackWorker

START_S = 90.0
"""How long a stack may take until it asks for a message."""
QUIET_S = 45.0
"""A directory that has an outcome and hears nothing more for so long has ended; production tries
again after 30 s."""
_LOOK_S = 0.2
_COUNT_EVERY_S = 1.0
_DELETED_WITHIN_S = 3.0
"""How long a stack may take to delete the message of a job that it has ended."""


class _EndedError(Exception):
    """The stack ended, and says how."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Desk:
    """A slot with its hatches, and the stack in it with what is its own."""

    slot: Slot
    queue_hatch: QueueHatch
    database_hatch: DatabaseHatch
    plan_hatch: PlanHatch
    tables: TableReader
    open: AsyncExitStack
    process: SlotProcess | None = None
    database: StackDatabase | None = None
    queues: StackQueues | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    claim: Claim
    crashed: bool = False
    settled: bool = False
    """Nothing of the submission is left anywhere, so the stack may go on with another."""


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A submission that is being waited for."""

    job: StackJob
    began: float
    told: Told = field(default_factory=Told)
    changed_at: float = field(default_factory=time.monotonic)

    def note(self, told: Told) -> None:
        """What its tables say now."""
        if told != self.told:
            self.told, self.changed_at = told, time.monotonic()

    def claim(self, remark: str | None = None) -> Claim | None:
        """See `Told.claim`."""
        elapsed_ms = 1000 * (time.perf_counter() - self.began)
        return self.told.claim(elapsed_ms=elapsed_ms, remark=remark)


class StackPlace:
    """See the module; an async context manager.

    At its start one stack is started, so that one that cannot run ends the run with its reason.
    """

    def __init__(self, worker: StackWorker, sandbox: Sandbox, browser: Path) -> None:
        self._worker = worker
        self._sandbox = sandbox
        self._browser = browser
        self._isolation = find_isolation()
        self._room = asyncio.Semaphore(worker.at_once)
        self._desks: set[_Desk] = set()
        self._free: list[_Desk] = []

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What a run's start tells of this place."""
        missing = [layer for layer in SlotLayer if layer not in self._isolation.layers]
        return {
            "browser": version_of(self._browser),
            "layers": list(self._isolation.layers),
            "not_sealed_by": missing,
            "not_sealed_because": self._isolation.reason,
            "deadline_s": self._worker.deadline_s,
        }

    async def __aenter__(self) -> StackPlace:
        if not self._isolation.network and not self._worker.run_unsealed:
            raise ReplayError(
                f"worker = {self._worker.name}: this machine gives it no network of its own "
                f"({self._isolation.reason}), so whatever of it ignores a proxy would reach real "
                "sites. See shadow doctor for how to allow one, or set stack.run_unsealed."
            )
        await in_thread(check_database, self._worker.database)
        await in_thread(drop_left_over, self._worker.database)
        await in_thread(delete_left_over, self._worker.endpoint)
        try:
            desk = await self._sit_down()
            try:
                await self._start(desk)
            except (EnvironmentProblem, _EndedError) as error:
                raise ReplayError(
                    f"worker = {self._worker.name}: it does not start: {error}"
                ) from error
        except BaseException:
            await self._close()
            raise
        self._free.append(desk)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def carry_out(
        self,
        submission: Replayable,
        visit: Visit,
        *,
        limit_s: float,
        capture: Capture | None = None,
    ) -> Finished:
        """Send the message and wait for the outcome; a stack that ends or is stuck is one too.

        limit_s: what the plan may take; the stack's own deadline counts if that is longer.
        capture: nothing can be kept of a browser that is not ours.
        """
        async with self._room:
            desk = self._free.pop() if self._free else await self._sit_down()
            began = time.perf_counter()
            try:
                async with desk.slot.admit(visit):
                    ending = await self._ending_of(desk, submission, began, limit_s)
                    if not ending.settled:
                        await self._clear(desk)
            except SlotLostError:
                claim = failed("crash of the worker: its slot was killed", began)
                ending = _Ending(claim=claim, crashed=True)
                await self._stand_up(desk)
            except BaseException:
                await self._stand_up(desk)
                raise
            if desk in self._desks:
                self._free.append(desk)
        return Finished(of=submission, visit=visit, claim=ending.claim, crashed=ending.crashed)

    async def _ending_of(
        self, desk: _Desk, submission: Replayable, began: float, limit_s: float
    ) -> _Ending:
        limit_s = max(limit_s, self._worker.deadline_s)
        try:
            await self._start(desk)
        except _EndedError as error:
            return _Ending(claim=failed(f"crash of the worker: {error}", began), crashed=True)
        watched, crashed = await self._hand_in(desk, submission, began), False
        try:
            claim = await self._outcome(desk, watched, limit_s)
        except _EndedError as error:
            claim, crashed = failed(f"crash of the worker: {error}", began), True
        return replace(await self._settled(desk, watched, claim), crashed=crashed)

    async def _hand_in(self, desk: _Desk, submission: Replayable, began: float) -> _Watched:
        """Write the rows of a job and send its message."""
        assert desk.database is not None
        assert desk.queues is not None
        job = StackJob.of(submission)
        desk.plan_hatch.order = submission.order
        desk.slot.log.write_bytes(b"")
        await in_thread(desk.database.seed, job)
        message = job_message(
            job_id=job.job_id,
            customer_id=job.customer_id,
            package_size=job.package_size,
            priority=job.priority,
        )
        await in_thread(desk.queues.send, message)
        return _Watched(job=job, began=began)

    async def _outcome(self, desk: _Desk, watched: _Watched, limit_s: float) -> Claim:
        """Wait for the claim of a job; _EndedError if the stack ended without one."""
        began = counted_at = time.monotonic()
        while True:
            # Asked before the tables are, or what it wrote last could be missed.
            ended = desk.process is None or desk.process.returncode is not None
            await self._look(desk, watched)
            now = time.monotonic()
            claim = watched.claim()
            quiet = now - watched.changed_at > QUIET_S
            late = now - began > limit_s
            if claim is not None and (watched.told.ended or ended or quiet or late):
                return claim
            if ended:
                raise _EndedError(await self._how_it_ended(desk, "no outcome"))
            if late:
                text = f"stuck: no outcome after {limit_s:g} s (timeout): {watched.told.words}"
                return failed(text, watched.began)
            if now - counted_at > _COUNT_EVERY_S:
                counted_at = now
                if (await self._standing(desk)).dead:
                    text = "its message went to the dead-letter queue"
                    return watched.claim(text) or failed(text, watched.began)
            await asyncio.sleep(_LOOK_S)

    async def _look(self, desk: _Desk, watched: _Watched) -> None:
        assert desk.database is not None
        database, job = desk.database, watched.job

        def look() -> Told:
            history, results = database.rows(job.job_id)
            return desk.tables.read(job.job_id, job.directory, history=history, results=results)

        watched.note(await in_thread(look))

    async def _settled(self, desk: _Desk, watched: _Watched, claim: Claim) -> _Ending:
        """See whether the message is gone, now that there is an outcome."""
        deadline = time.monotonic() + (_DELETED_WITHIN_S if watched.told.ended else 0)
        while (standing := await self._standing(desk)).jobs and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_S)
        if standing.jobs:
            remark = "its message was left in the queue"
            text = f"{claim.error_text}; {remark}" if claim.error_text else remark
            return _Ending(claim=replace(claim, error_text=text))
        return _Ending(claim=claim, settled=watched.told.ended and not standing.dead)

    async def _standing(self, desk: _Desk) -> Standing:
        assert desk.queues is not None
        return await in_thread(desk.queues.standing)

    async def _start(self, desk: _Desk) -> None:
        """See that a stack is there and asks for messages; _EndedError if it does not."""
        if desk.process is not None and desk.process.returncode is None:
            return
        # A stack that ended may still have a call open that would take the next message.
        await self._clear(desk)
        desk.queues = StackQueues(self._worker.endpoint)
        await in_thread(desk.queues.create)
        desk.database = StackDatabase(self._worker.database)
        await in_thread(desk.database.create)
        desk.queue_hatch.lead_to(desk.queues.paths)
        desk.database_hatch.database = desk.database.name
        desk.process = await desk.slot.start(
            self._worker.argv,
            env=stack_environment(
                self._worker,
                queue_hatch=desk.queue_hatch,
                database_hatch=desk.database_hatch,
                plan_hatch=desk.plan_hatch,
            ),
            cwd=self._worker.folder,
            # It reads no orders and prints no answers: all that it prints is log.
            talk=(3, 4),
        )
        await self._wait_until_it_asks(desk, desk.process)

    async def _wait_until_it_asks(self, desk: _Desk, process: SlotProcess) -> None:
        asked = asyncio.ensure_future(desk.queue_hatch.asked.wait())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({asked, ended}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (asked, ended):
                waiting.cancel()
            await asyncio.gather(asked, ended, return_exceptions=True)
        if not desk.queue_hatch.asked.is_set():
            if process.returncode is not None:
                raise _EndedError(await self._how_it_ended(desk, "no sign"))
            words = last_words(desk.slot)
            raise _EndedError(
                f"it asked for no message within {START_S:g} s{f': {words}' if words else ''}"
            )

    async def _how_it_ended(self, desk: _Desk, owed: str) -> str:
        assert desk.process is not None
        return await end_of(desk.process, desk.slot, owed=owed)

    async def _sit_down(self) -> _Desk:
        async with AsyncExitStack() as stack:
            slot = await stack.enter_async_context(
                Slot(
                    self._sandbox,
                    self._browser,
                    isolation=self._isolation,
                    manifests=self._worker.manifests,
                    code=self._worker.folder,
                    hatches=3,
                )
            )
            to_queue, to_database, to_plan = slot.hatches
            queue_hatch = QueueHatch(to_queue, slot.refuse, self._worker.endpoint)
            database_hatch = DatabaseHatch(to_database, slot.refuse, self._worker.database)
            plan_hatch = PlanHatch(to_plan, slot.refuse)
            for hatch in (queue_hatch, database_hatch, plan_hatch):
                await stack.enter_async_context(hatch)
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="stack-", ignore_cleanup_errors=True)
            )
            tables = await in_thread(TableReader, Path(folder, "told.duckdb"))
            desk = _Desk(
                slot=slot,
                queue_hatch=queue_hatch,
                database_hatch=database_hatch,
                plan_hatch=plan_hatch,
                tables=tables,
                open=stack.pop_all(),
            )
        self._desks.add(desk)
        return desk

    async def _clear(self, desk: _Desk) -> None:
        """End the stack and take away what was its own; the next submission starts anew."""
        desk.process = None
        try:
            await desk.slot.clear()
        finally:
            await self._take_away(desk)

    async def _take_away(self, desk: _Desk) -> None:
        database, queues = desk.database, desk.queues
        desk.database = desk.queues = None
        desk.database_hatch.database = None
        desk.queue_hatch.lead_to(())
        for hatch in (desk.queue_hatch, desk.database_hatch):
            await hatch.hang_up()
        try:
            if database is not None:
                await in_thread(database.drop)
        finally:
            if queues is not None:
                await in_thread(queues.delete)

    async def _stand_up(self, desk: _Desk) -> None:
        self._desks.discard(desk)
        try:
            with suppress(SlotLostError):
                await self._clear(desk)
        finally:
            await desk.open.aclose()

    async def _close(self) -> None:
        self._free.clear()
        await asyncio.gather(*(self._stand_up(desk) for desk in tuple(self._desks)))
