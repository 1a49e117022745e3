"""``command:…``: any program that reads one order a line and prints one result a line."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.errors import ReplayError
from replay.seal.launcher import find_manifests
from replay.worker.process import ProcessWorker

PREFIX = "command:"


def command_worker(
    spec: str,
    *,
    folder: Path,
    parent: Mapping[str, str] = os.environ,
    called: str | None = None,
) -> ProcessWorker:
    """Return the worker of ``command:PROGRAM ARGUMENTS``, quoted as in a shell; no shell runs it.

    folder: where it is started. called: what a person wrote, if not `spec`. Raises ReplayError if
    there is no such program.
    """
    name = called or spec
    try:
        argv = tuple(shlex.split(spec.removeprefix(PREFIX)))
    except ValueError as error:
        raise ReplayError(f"worker = {name}: {error}. Mend the quotes.") from error
    if not argv:
        raise ReplayError(f"worker = {name}: give a program, such as command:node worker.mjs.")
    found = shutil.which(argv[0], path=parent.get("PATH"))
    if found is None and (folder / argv[0]).is_file():
        found = str(folder / argv[0])
    if found is None:
        raise ReplayError(f"worker = {name}: there is no program {argv[0]}. Give its path.")
    libraries = parent.get("NODE_PATH", "")
    folders = [Path(entry) for entry in libraries.split(os.pathsep) if entry]
    return ProcessWorker(
        name=name,
        argv=(str(Path(found).absolute()), *argv[1:]),
        env={"NODE_PATH": libraries} if libraries else {},
        folder=folder,
        starts_in_folder=True,
        manifests=tuple(find_manifests([folder, *folders])),
    )
