"""Submissions, results and terms of a replay on several machines, without any machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from harness.model import Claim, Order, Outcome, PlanStep
from replay.collector.courier import Courier
from replay.collector.pool import PoolConfig
from replay.collector.wire import Result, Terms
from replay.engines.prefect_pool import RunState
from replay.sandbox.conditions import Condition
from replay.sandbox.visit import Observation
from replay.select import Replayable
from replay.worker.choose import WorkerSpec
from replay.worker.contract import Timeouts

TOKEN = "0123456789abcdef" * 4
SECRET = "owner@ahorn.example"
"""A value of a person; stands in every order."""


def make_replayable(number: int = 0) -> Replayable:
    """One of many submissions."""
    order = Order(
        job_id=f"job-{number % 3}",
        directory=f"site-{number}.example",
        plan=(PlanStep(action="fill", selector="#email", value=SECRET),),
        business={"email": SECRET},
    )
    return Replayable(order=order, condition=Condition.ACCEPTED)


def make_result(of: Replayable, *, text: str | None = None) -> Result:
    """It was submitted; or failed with this text."""
    status = Outcome.SUBMITTED if text is None else Outcome.FAILED
    return Result(
        job_id=of.order.job_id,
        directory=of.order.directory,
        claim=Claim(status=status, duration_ms=1.5, error_text=text),
        observation=Observation(posts=1, accepted=1),
    )


def make_terms() -> Terms:
    """Of the built-in worker."""
    return Terms(run="r", worker=WorkerSpec(spec="playwright"), timeouts=Timeouts())


def make_pool_config(**words: object) -> PoolConfig:
    """A pool of a Prefect that nobody asks."""
    given = {"name": "p", "api_url": "http://127.0.0.1:9/api", "token": TOKEN, "lease_s": 60.0}
    return PoolConfig(**(given | words))  # type: ignore[arg-type]


Machine = Callable[[Courier, str], None]


@dataclass
class Pool:
    """In place of Prefect: each flow run is a thread that does what `machine` does."""

    machine: Machine | None
    online: int = 2
    place: str = "http://prefect.example/api"
    name: str = "p"
    made: list[tuple[str, str, str]] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    fate: RunState = field(default_factory=lambda: RunState(type="RUNNING"))
    fates: dict[str, RunState] = field(default_factory=dict)
    """Of single flow runs; the others have `fate`."""
    swept: int = 0
    threads: list[threading.Thread] = field(default_factory=list)

    def open(self, run: str) -> int:
        return 0

    def submit(self, run: str, unit: str, url: str) -> str:
        self.made.append((run, unit, url))
        if self.machine is not None:
            courier = Courier(url, TOKEN, patience_s=0)
            self.threads.append(threading.Thread(target=self.machine, args=(courier, unit)))
            self.threads[-1].start()
        return f"run-of-{unit}"

    def workers(self) -> int:
        return self.online

    def states(self, runs: Collection[str]) -> dict[str, RunState]:
        return {run: self.fates.get(run, self.fate) for run in runs}

    def end(self, run: str, state: str, words: str) -> None:
        self.ended[run] = state

    def sweep(self, run: str) -> int:
        self.swept += 1
        return 0
