"""The dashboard's data in processes of its own, so that no look ever holds up the screen.

A look at millions of events takes seconds and a gigabyte, much of it with the interpreter's lock.
Here only what a screen shows comes across, and an assessment only once: while nothing has changed
it stays the very same object.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.assess.job_search import JobSearch
from harness.assessment import Assessment, Difference, DifferenceDetail, JobDetail, JobPage
from harness.errors import EnvironmentProblem, ShadowError
from harness.tui.kept.looks import KeptLooks
from harness.tui.looked import FilesNow, Moment, RuleSaid, Snapshot
from harness.tui.sources import Source

if TYPE_CHECKING:
    from harness.assess.criteria import Criteria
    from harness.assess.weighing import Weighed
    from harness.compare.explain import Step
    from harness.compare.rules import Rule
    from harness.journal.verify import Verification

_END_S = 5.0
"""How long leaving waits at most for a killed process to be gone."""
KEPT_MOMENTS = 4
"""Assessments kept on this side, so that a step back does not bring the same one across again."""
_AT_ONCE = 4
_NICENESS = 10
"""Of looks that nobody waits for."""
_IN_ORDER = frozenset({"judge_by", "drop"})
"""What holds for every question after it, or for every one before."""
_SPAWN = multiprocessing.get_context("spawn")


class DataBeside(Source):
    """Asks a source in processes of its own: for looks, for looks ahead, for what must not wait.

    make: makes that source there, so it must be a function of a module with arguments that travel
    (`functools.partial` does). criteria: those that it judges by. Every method may be called from
    any thread and waits for its answer. Raises EnvironmentProblem where the process died with the
    question.
    """

    def __init__(self, make: Callable[[], Source], criteria: Criteria) -> None:
        self._criteria = criteria
        # Inside one process a look would keep the journal from every other question.
        self._looks, self._questions = _Asked(make), _Asked(make)
        # It takes memory, and is ended at once when somebody wants the processor.
        self._ahead = _Asked(make, niceness=_NICENESS)
        self._guard = threading.Lock()
        self._kept: OrderedDict[Moment | None, tuple[int, Assessment]] = OrderedDict()

    def start(self) -> None:
        """Begin the look's process, if it is not there; what it needs is loaded meanwhile."""
        self._looks.start()

    def close(self) -> None:
        """End the processes; what still waits for an answer fails."""
        self._ahead.close()
        self._looks.close()
        self._questions.close()

    def load(self, as_of: Moment | None) -> Snapshot:
        """As `DashboardData.load`; a process that died is trouble in words."""
        kept = self._kept.get(as_of)
        snapshot: Snapshot
        number: int | None
        try:
            snapshot, number = self._looks.ask("load", as_of, kept[0] if kept else None)
        except EnvironmentProblem as error:
            return Snapshot(
                assessment=kept[1] if kept else None,
                trouble=str(error),
                taken_at=datetime.now(UTC),
            )
        if number is None:
            return snapshot
        if kept is not None and number == kept[0]:
            return replace(snapshot, assessment=kept[1])
        assert snapshot.assessment is not None
        with self._guard:
            self._kept[as_of] = number, snapshot.assessment
            self._kept.move_to_end(as_of)
            while len(self._kept) > KEPT_MOMENTS:
                self._kept.popitem(last=False)
        return snapshot

    def drop(self) -> None:
        """As `DashboardData.drop`; waits for nothing."""
        self._looks.tell("drop")

    def judge_by(self, criteria: Criteria) -> None:
        """As `DashboardData.judge_by`; a process that is begun later judges so too."""
        self._criteria = criteria
        for asked in (self._looks, self._questions, self._ahead):
            asked.always("judge_by", criteria)
        with self._guard:
            self._kept.clear()

    def prepare(self, seq: int) -> bool:
        """As `DashboardData.prepare`; EnvironmentProblem where `stop_preparing` came first."""
        kept: bool = self._ahead.ask("prepare", seq)
        return kept

    def stop_preparing(self) -> None:
        """End the process that looks ahead, and give its memory back."""
        self._ahead.end()

    def rules(self) -> tuple[Rule, ...]:
        """As `DashboardData.rules`; asks nobody."""
        return self._criteria.rules.rule

    def weigh_rule(self, name: str, as_of: Moment | None) -> Weighed:
        """As `DashboardData.weigh_rule`."""
        found: Weighed = self._questions.ask("weigh_rule", name, as_of)
        return found

    def try_rule(self, rule: str, said: RuleSaid, as_of: Moment | None) -> Weighed:
        """As `DashboardData.try_rule`."""
        found: Weighed = self._questions.ask("try_rule", rule, said, as_of)
        return found

    def explain(self, difference: Difference, as_of: Moment | None) -> tuple[Step, ...]:
        """As `DashboardData.explain`."""
        found: tuple[Step, ...] = self._questions.ask("explain", difference, as_of)
        return found

    def seq_at(self, at: datetime) -> int:
        """As `DashboardData.seq_at`."""
        found: int = self._questions.ask("seq_at", at)
        return found

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """As `DashboardData.detail`."""
        found: DifferenceDetail = self._questions.ask("detail", difference, as_of)
        return found

    def step(self, seq: int, *, forward: bool) -> int | None:
        """As `DashboardData.step`."""
        found: int | None = self._questions.ask("step", seq, forward=forward)
        return found

    def jobs(self, search: JobSearch, *, offset: int, limit: int, as_of: Moment | None) -> JobPage:
        """As `DashboardData.jobs`."""
        found: JobPage = self._questions.ask(
            "jobs", search, offset=offset, limit=limit, as_of=as_of
        )
        return found

    def job(self, job_id: str, as_of: Moment | None) -> JobDetail | None:
        """As `DashboardData.job`."""
        found: JobDetail | None = self._questions.ask("job", job_id, as_of)
        return found

    def files_now(self) -> FilesNow:
        """As `DashboardData.files_now`."""
        found: FilesNow = self._questions.ask("files_now")
        return found

    def verify(self) -> tuple[datetime, Verification]:
        """As `DashboardData.verify`."""
        found: tuple[datetime, Verification] = self._questions.ask("verify")
        return found


def journal_data(journal: Path, criteria: Criteria, *, looks: KeptLooks | None = None) -> Source:
    """The data of a journal, for `DataBeside` to make: only there is what reads it loaded."""
    from harness.tui.data import DashboardData

    return DashboardData(journal, criteria, looks=looks)


class _Asked:
    """A source in a process that is begun with the first question, and anew where it has died."""

    def __init__(self, make: Callable[[], Source], *, niceness: int = 0) -> None:
        self._make = make
        self._niceness = niceness
        self._guard = threading.Lock()
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None
        self._listener: threading.Thread | None = None
        self._waiting: dict[int, Future[Any]] = {}
        """Who waits for an answer of the process that is there."""
        self._numbers = itertools.count(1)
        self._always: dict[str, tuple[Any, ...]] = {}
        self._closed = False

    def start(self) -> None:
        with self._guard:
            self._alive()

    def close(self) -> None:
        with self._guard:
            self._closed = True
        self.end()

    def end(self) -> None:
        """End the process; the next question begins another."""
        with self._guard:
            process, self._process, self._line = self._process, None, None
            listener = self._listener
        # One that could not be started has nothing to end.
        if process is not None and process.pid is not None:
            process.kill()
            # Whoever listens to it waits for its end: of two that wait one hears nothing.
            if listener is not None:
                listener.join(_END_S)

    def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        answer: Future[Any] = Future()
        with self._guard:
            self._send(self._alive(), answer, name, arguments, named)
        return answer.result()

    def tell(self, name: str) -> None:
        """Say something that needs no answer to the process that is there, if one is."""
        with self._guard:
            if self._line is not None:
                self._send(self._line, Future(), name, (), {})

    def always(self, name: str, *arguments: Any) -> None:
        """Ask now if there is a process, and every process that is begun later, first of all."""
        answer: Future[Any] = Future()
        with self._guard:
            self._always[name] = arguments
            if self._line is None:
                return
            self._send(self._line, answer, name, arguments, {})
        answer.result()

    def _send(
        self, line: Connection, answer: Future[Any], name: str, arguments: Any, named: Any
    ) -> None:
        number = next(self._numbers)
        self._waiting[number] = answer
        # Where it died just now, whoever listens to it says so.
        with contextlib.suppress(OSError):
            line.send((number, name, arguments, named))

    def _alive(self) -> Connection:
        if self._closed:
            raise EnvironmentProblem("The dashboard is closing: nothing is read any more.")
        if self._process is None or self._line is None:
            self._line, theirs = _SPAWN.Pipe()
            self._waiting = {}
            self._process = _SPAWN.Process(
                target=_answer,
                args=(theirs, self._make, self._niceness),
                daemon=True,
                name="shadow-watch-data",
            )
            self._process.start()
            theirs.close()
            self._listener = threading.Thread(
                target=self._listen, args=(self._process, self._line, self._waiting), daemon=True
            )
            self._listener.start()
            for name, arguments in self._always.items():
                self._send(self._line, Future(), name, arguments, {})
        return self._line

    def _listen(
        self, process: SpawnProcess, line: Connection, waiting: dict[int, Future[Any]]
    ) -> None:
        while True:
            try:
                number, well, value = line.recv()
            except (EOFError, OSError):
                break
            with self._guard:
                answer = waiting.pop(number)
            if well:
                answer.set_result(value)
            else:
                answer.set_exception(value)
        process.join()
        line.close()
        with self._guard:
            if self._process is process:
                self._process = self._line = None
        # Nobody asks a process that is no longer the one.
        for answer in waiting.values():
            answer.set_exception(
                EnvironmentProblem(
                    f"The process that reads the journal ended ({_ending(process.exitcode)}). The "
                    "next look begins it anew; if it ends again, see whether memory is short."
                )
            )


def _ending(code: int | None) -> str:
    if code is None:
        return "nobody saw how"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class _Numbered:
    """A source whose assessments have numbers, so that a known one is not sent again."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._sent: OrderedDict[Moment | None, tuple[int, Assessment]] = OrderedDict()
        # Another process must never use the number of one that has died.
        self._numbers = itertools.count(os.getpid() << 32)
        self._guard = threading.Lock()

    def load(self, as_of: Moment | None, known: int | None) -> tuple[Snapshot, int | None]:
        snapshot = self.source.load(as_of)
        if (assessment := snapshot.assessment) is None:
            return snapshot, None
        with self._guard:
            number, before = self._sent.get(as_of, (0, None))
            if before is not assessment:
                number = next(self._numbers)
                self._sent[as_of] = number, assessment
                self._sent.move_to_end(as_of)
                while len(self._sent) > KEPT_MOMENTS:
                    self._sent.popitem(last=False)
        return (replace(snapshot, assessment=None) if number == known else snapshot), number


def _answer(line: Connection, make: Callable[[], Source], niceness: int) -> None:
    """Answer questions until the other side is gone."""
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    # Ctrl-C at the terminal is for the dashboard, and so is whatever can be seen there.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    numbered = _Numbered(make())
    guard = threading.Lock()

    def carry_out(number: int, name: str, arguments: Any, named: Any) -> None:
        try:
            whom = numbered if name == "load" else numbered.source
            told = number, True, getattr(whom, name)(*arguments, **named)
        except ShadowError as error:
            told = number, False, error
        except BaseException as error:
            error.add_note("".join(traceback.format_exception(error)))
            told = number, False, error
        with guard:
            try:
                line.send(told)
            except OSError:
                os._exit(0)
            except Exception as error:
                line.send((number, False, TypeError(f"{name} answers what cannot travel: {error}")))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while True:
            try:
                number, name, arguments, named = line.recv()
            except (EOFError, OSError):
                # Nobody is left to hear an answer, and libraries would say goodbye on the terminal.
                os._exit(0)
            if name in _IN_ORDER:
                carry_out(number, name, arguments, named)
            else:
                pool.submit(carry_out, number, name, arguments, named)
