"""From the words of ``--worker`` to a worker."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ReplayError
from replay.worker.command_worker import PREFIX as COMMAND
from replay.worker.command_worker import command_worker
from replay.worker.playwright_worker import PlaywrightWorker
from replay.worker.process import ProcessWorker
from replay.worker.python_worker import PREFIX as PYTHON
from replay.worker.python_worker import python_worker

FORMS = ("playwright", "python:module:function", "command:PROGRAM ARGUMENTS")


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
    where = (folder or Path.cwd()).resolve()
    if not where.is_dir():
        raise ReplayError(f"worker_path = {folder}: there is no such folder.")
    if spec == PlaywrightWorker.name:
        return None
    if spec.startswith(PYTHON):
        return python_worker(spec, folder=where, python=python, fast_sleeps=fast_sleeps)
    if spec.startswith(COMMAND):
        return command_worker(spec, folder=where)
    raise ReplayError(f"worker = {spec} is no worker. Give {', '.join(FORMS)}.")
