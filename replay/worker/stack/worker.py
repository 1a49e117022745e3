"""``sqs:…``: a deployed stack that takes messages and writes tables. Starts nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ReplayError
from harness.settings import StackSettings
from replay.worker.command_worker import command_worker
from replay.worker.python_worker import playwright_manifests
from replay.worker.stack.addresses import (
    DatabaseAddress,
    QueueEndpoint,
    read_database,
    read_endpoint,
)

PREFIX = "sqs:"
_OURS = (
    "SQS_QUEUE_URL", "SQS_DLQ_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "DATABASE_URL",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PLAYWRIGHT_BROWSERS_PATH", "PATH",
    "HOME", "TMPDIR",
)  # fmt: skip
"""Variables that lead a stack to what is its own in a run, or seal it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackWorker:
    """A stack as a run starts it: one program, with whatever that starts."""

    name: str
    """As it was asked for; part of a run's provenance."""
    argv: tuple[str, ...]
    folder: Path
    """The stack's own, where its program starts."""
    manifests: tuple[Path, ...]
    """``browsers.json`` of each Playwright that it may use."""
    database: DatabaseAddress
    """The one that is copied for it."""
    endpoint: QueueEndpoint
    deadline_s: float
    """How long a submission may take, with all its tries."""
    at_once: int
    """So many stacks at most, each with a submission at a time."""
    run_unsealed: bool = False
    """It runs even where this machine gives it no network of its own."""
    env: Mapping[str, str] = field(default_factory=dict)


def stack_worker(
    spec: str,
    *,
    folder: Path,
    settings: StackSettings,
    dsn: str | None,
    production: Sequence[str | None] = (),
    python: Path | None = None,
    parent: Mapping[str, str] = os.environ,
) -> StackWorker:
    """Return the worker of ``sqs:PROGRAM ARGUMENTS``, quoted as in a shell; no shell runs it.

    dsn: of the database that is copied. production: DSNs that it must not be. python: the
    interpreter whose Playwright the stack uses; found by itself if None. Raises ReplayError, for a
    stack that runs elsewhere too.
    """
    if not spec.removeprefix(PREFIX).strip():
        raise ReplayError(
            "worker = sqs: without a program. A stack that runs elsewhere cannot be sealed, and "
            "would send what it is given to real sites: give the program that starts it, such as "
            '"sqs:python -m stack".'
        )
    program = command_worker(
        f"command:{spec.removeprefix(PREFIX)}", folder=folder, parent=parent, called=spec
    )
    for name in settings.env:
        if name.upper() in _OURS:
            raise ReplayError(
                f"stack.env names {name}, which a run sets itself: it leads to the queue and the "
                "database of this run, or seals the stack. Leave it out."
            )
    interpreter = python or _interpreter_of(program.argv[0], parent.get("PATH"))
    return StackWorker(
        name=spec,
        argv=program.argv,
        folder=folder,
        manifests=(*program.manifests, *playwright_manifests(interpreter, folder)),
        database=read_database(dsn, production=production),
        endpoint=read_endpoint(settings.endpoint_url),
        deadline_s=settings.deadline,
        at_once=settings.at_once,
        run_unsealed=settings.run_unsealed,
        env={**program.env, **settings.env},
    )


def _interpreter_of(program: str, path: str | None) -> Path | None:
    """The Python that a stack most likely runs in: its program, else the one on PATH."""
    if Path(program).name.startswith("python"):
        return Path(program)
    found = shutil.which("python3", path=path)
    return Path(found) if found else None
