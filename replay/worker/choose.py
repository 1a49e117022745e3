"""From the words of ``--worker`` to a worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ReplayError
from harness.settings import STACK_VARIABLE, StackSettings
from replay.worker.command_worker import PREFIX as COMMAND
from replay.worker.command_worker import command_worker
from replay.worker.playwright_worker import PlaywrightWorker
from replay.worker.process import ProcessWorker
from replay.worker.python_worker import PREFIX as PYTHON
from replay.worker.python_worker import python_worker
from replay.worker.stack.worker import PREFIX as STACK
from replay.worker.stack.worker import StackWorker, stack_worker

if TYPE_CHECKING:
    from harness.journal.store import Journal
    from replay.place import AnyWorker

FORMS = (
    "playwright", "python:module:function", "command:PROGRAM ARGUMENTS", "sqs:PROGRAM ARGUMENTS",
)  # fmt: skip


def make_replay_worker(
    spec: str,
    settings: StackSettings,
    *,
    folder: Path | None = None,
    python: Path | None = None,
    fast_sleeps: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> ProcessWorker | StackWorker | None:
    """Like `make_worker`, and a whole stack for ``sqs:``, which only a replay can drive.

    environ: holds the DSN of the stack's database, and those of production.
    """
    if not spec.startswith(STACK):
        return make_worker(spec, folder=folder, python=python, fast_sleeps=fast_sleeps)
    if fast_sleeps:
        raise ReplayError(f"fast_sleeps is for python: workers; leave it out with {spec}.")
    return stack_worker(
        spec,
        folder=_folder(folder),
        settings=settings,
        dsn=environ.get(STACK_VARIABLE),
        production=(environ.get("SHADOW_DSN"), environ.get("DATABASE_URL")),
        python=python,
    )


def require_shipped_mapping(worker: AnyWorker | None, journal: Journal) -> None:
    """Raise ReplayError if a stack's tables could not be read as the journal's are."""
    if isinstance(worker, StackWorker) and (mapping := journal.mapping()) is not None:
        raise ReplayError(
            f"worker = {worker.name}: {journal.path} has the mapping {mapping.shown}, but a "
            "stack's tables are written and read by the shipped one. Use a command: worker."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """A worker in words that mean the same on another machine with the same folders."""

    spec: str
    folder: str | None = None
    python: str | None = None
    """None: the interpreter of the harness there."""
    fast_sleeps: bool = False

    def make(self) -> ProcessWorker | None:
        """The worker on this machine; see `make_worker`."""
        return make_worker(
            self.spec,
            folder=Path(self.folder) if self.folder else None,
            python=Path(self.python) if self.python else None,
            fast_sleeps=self.fast_sleeps,
        )


def spec_of(worker: AnyWorker) -> WorkerSpec:
    """The words of a worker. ReplayError for one that was made of anything else."""
    if isinstance(worker, PlaywrightWorker):
        return WorkerSpec(spec=worker.name)
    if not isinstance(worker, ProcessWorker):
        raise ReplayError(
            f"worker = {worker.name}: it does not run on other machines. Leave --engine out."
        )
    named = worker.name.startswith(PYTHON) and worker.argv[0] != sys.executable
    return WorkerSpec(
        spec=worker.name,
        folder=str(worker.folder),
        python=worker.argv[0] if named else None,
        fast_sleeps=worker.fast_sleeps,
    )


def make_worker(
    spec: str,
    *,
    folder: Path | None = None,
    python: Path | None = None,
    fast_sleeps: bool = False,
) -> ProcessWorker | None:
    """Return the worker that `spec` names; None for the built-in one, which a run makes itself.

    spec: one of `FORMS`. folder: of the worker's code, the current one if None. python,
    fast_sleeps: of a ``python:`` worker only. Raises ReplayError that names the wrong word.
    """
    if not spec.startswith(PYTHON):
        for name, given in (("worker_python", python), ("fast_sleeps", fast_sleeps)):
            if given:
                raise ReplayError(f"{name} is for python: workers; leave it out with {spec}.")
    where = _folder(folder)
    if spec == PlaywrightWorker.name:
        return None
    if spec.startswith(PYTHON):
        return python_worker(spec, folder=where, python=python, fast_sleeps=fast_sleeps)
    if spec.startswith(COMMAND):
        return command_worker(spec, folder=where)
    if spec.startswith(STACK):
        raise ReplayError(f"worker = {spec}: a whole stack is tried by shadow replay only.")
    raise ReplayError(f"worker = {spec} is no worker. Give {', '.join(FORMS)}.")


def _folder(given: Path | None) -> Path:
    where = (given or Path.cwd()).resolve()
    if not where.is_dir():
        raise ReplayError(f"worker_path = {given}: there is no such folder.")
    return where
