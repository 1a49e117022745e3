"""Slots for the programs of one worker, made as they are needed, and what became of each order."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import EnvironmentProblem, ReplayError
from harness.model import Claim
from replay.evidence.capture import Capture
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.seal.endings import EXIT_S, end_of, failed, last_words, version_of
from replay.seal.isolation import Isolation, SlotLayer, find_isolation
from replay.seal.process import SlotProcess
from replay.seal.slot import Leftovers, Slot, SlotLostError
from replay.select import Replayable
from replay.submission import Finished
from replay.worker.process import (
    ProcessWorker,
    UnusableAnswerError,
    check_answer,
    claim_of,
    order_line,
    read_answer,
)

START_S = 30.0
"""How much longer than its plan a program may take, to start itself and a browser of its own."""
_GREETING_S = 60.0
APART_S = 0.7
"""How long after one slot the next is opened. Programs begun together stay in step, and all start
their browsers at once and sleep at once: the processor is full by turns and idle by turns."""


class _EndedError(Exception):
    """The program ended, or closed its output, without an answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Desk:
    """A slot and the program that waits in it for its next order."""

    slot: Slot
    process: SlotProcess | None = None


class SlotPlace:
    """Carries out orders in slots, each with a process of the worker; an async context manager.

    A process serves as long as it lives: it may keep its browser from one order to the next, or
    exit after each. At its start one is tried, so that a worker that cannot run ends the run with
    its reason and is no outcome of a submission.
    """

    def __init__(
        self,
        worker: ProcessWorker,
        sandbox: Sandbox,
        browser: Path,
        *,
        isolation: Isolation | None = None,
    ) -> None:
        self.left: list[Leftovers] = []
        """What each slot held when it was ended."""
        self._worker = worker
        self._sandbox = sandbox
        self._browser = browser
        self._isolation = isolation or find_isolation()
        self._desks: set[_Desk] = set()
        self._free: list[_Desk] = []
        self._opening = asyncio.Lock()
        self._next_opening = -math.inf

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What a run's start tells of this place."""
        missing = [layer for layer in SlotLayer if layer not in self._isolation.layers]
        return {
            "browser": version_of(self._browser),
            "layers": list(self._isolation.layers),
            "not_sealed_by": missing,
            "not_sealed_because": self._isolation.reason,
            "fast_sleeps": self._worker.fast_sleeps,
        }

    async def __aenter__(self) -> SlotPlace:
        try:
            desk = await self._sit_down()
            try:
                await self._start(desk)
            except EnvironmentProblem as error:
                raise ReplayError(f"worker = {self._worker.name}: {error}") from error
            except (_EndedError, TimeoutError) as error:
                raise ReplayError(
                    f"worker = {self._worker.name}: it does not start: "
                    f"{str(error) or last_words(desk.slot)}"
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
        """Give the order to a process; its crash and its being stuck are outcomes.

        limit_s: what the plan may take; starting is allowed for beside it. capture: nothing can be
        kept of a browser that is not ours.
        """
        desk = self._free.pop() if self._free else await self._sit_down()
        began = time.perf_counter()
        crashed = True
        try:
            async with desk.slot.admit(visit):
                try:
                    claim = await self._answer(desk, submission, visit, limit_s + START_S)
                    crashed = False
                except (TimeoutError, _EndedError, UnusableAnswerError) as error:
                    claim = failed(_words_of(error, limit_s), began)
                    crashed = not isinstance(error, TimeoutError)
                    await self._clear(desk)
        except SlotLostError:
            claim = failed("crash of the worker: its slot was killed", began)
            await self._stand_up(desk)
        except BaseException:
            await self._stand_up(desk)
            raise
        if desk in self._desks:
            self._free.append(desk)
        return Finished(of=submission, visit=visit, claim=claim, crashed=crashed)

    async def _answer(
        self, desk: _Desk, submission: Replayable, visit: Visit, limit_s: float
    ) -> Claim:
        """The claim of one order. _EndedError, TimeoutError or UnusableAnswerError."""
        began = time.perf_counter()
        async with asyncio.timeout(limit_s):
            fresh = await self._start(desk)
            desk.slot.log.write_bytes(b"")
            try:
                told = await self._ask(desk, order_line(submission.order))
            except _EndedError:
                # It may have ended by itself after its last answer, before it saw this order.
                ended = desk.process.returncode if desk.process is not None else None
                if fresh or ended != 0 or visit.observation.posts:
                    raise
                await self._start(desk)
                told = await self._ask(desk, order_line(submission.order))
        if "raised" in told:
            raise _EndedError(told["raised"])
        if "unusable" in told:
            raise UnusableAnswerError(f"{told['unusable']} is no dict")
        check_answer(told, submission.order)
        return claim_of(told, elapsed_ms=1000 * (time.perf_counter() - began))

    async def _start(self, desk: _Desk) -> bool:
        """See that a process is there; whether it had to be started."""
        if desk.process is not None and desk.process.returncode is None:
            return False
        worker = self._worker
        if desk.process is not None:
            await self._clear(desk)
        desk.process = await desk.slot.start(
            worker.argv,
            env=worker.env,
            cwd=worker.folder if worker.starts_in_folder else None,
            talk=worker.talk,
        )
        if worker.greets:
            async with asyncio.timeout(_GREETING_S):
                told = await self._hear(desk)
            if "refused" in told:
                raise _EndedError(told["refused"])
        return True

    async def _ask(self, desk: _Desk, line: bytes) -> dict[str, Any]:
        assert desk.process is not None
        desk.process.send(line)
        return await self._hear(desk)

    async def _hear(self, desk: _Desk) -> dict[str, Any]:
        """The next object that it prints; what else it prints is log. _EndedError at its end."""
        process = desk.process
        assert process is not None
        while True:
            try:
                line = await process.answers.readline()
            except ValueError as error:
                raise UnusableAnswerError("a line of more than 4 MB") from error
            if not line:
                raise _EndedError(await end_of(process, desk.slot, owed="no answer"))
            if (told := read_answer(line)) is not None:
                return told
            with desk.slot.log.open("ab") as log:
                log.write(line)

    async def _sit_down(self) -> _Desk:
        async with self._opening:
            await asyncio.sleep(self._next_opening - time.monotonic())
            self._next_opening = time.monotonic() + APART_S
        slot = Slot(
            self._sandbox,
            self._browser,
            isolation=self._isolation,
            manifests=self._worker.manifests,
            code=self._worker.folder,
        )
        desk = _Desk(slot=await slot.__aenter__())
        self._desks.add(desk)
        return desk

    async def _clear(self, desk: _Desk) -> None:
        """End whatever runs in the slot; the next order starts anew."""
        desk.process = None
        await desk.slot.clear()

    async def _stand_up(self, desk: _Desk) -> None:
        self._desks.discard(desk)
        self.left.append(await desk.slot.end())

    async def _close(self) -> None:
        self._free.clear()
        await asyncio.gather(*(self._dismiss(desk) for desk in tuple(self._desks)))

    async def _dismiss(self, desk: _Desk) -> None:
        """A worker in good order exits when there is nothing more to read, and tidies up."""
        if desk.process is not None:
            desk.process.hang_up()
            with contextlib.suppress(TimeoutError, SlotLostError):
                async with asyncio.timeout(EXIT_S):
                    await desk.process.wait()
        await self._stand_up(desk)


def _words_of(error: Exception, limit_s: float) -> str:
    match error:
        case TimeoutError():
            return f"stuck: no result after {limit_s:g} s (timeout)"
        case UnusableAnswerError():
            return f"crash of the worker: unusable answer: {error}"
        case _:
            return f"crash of the worker: {error}"
