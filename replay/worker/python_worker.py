"""``python:module:function``: any callable, in a process of its own interpreter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.errors import ReplayError
from replay.worker.process import ProcessWorker

PREFIX = "python:"
_HOST = Path(__file__).with_name("python_host.py")
_SPEC = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_ASK_S = 30.0
# Found, not imported: no worker code runs before it is in its slot.
_WHERE = """
import importlib.util
found = importlib.util.find_spec("playwright")
print(found.origin if found else "")
"""


def python_worker(
    spec: str,
    *,
    folder: Path,
    python: Path | None = None,
    fast_sleeps: bool = False,
    parent: Mapping[str, str] = os.environ,
) -> ProcessWorker:
    """Return the worker of ``python:module:function``.

    folder: imported from, before PYTHONPATH. python: its interpreter, ours if None.
    Raises ReplayError if the words are none, or the interpreter does not run.
    """
    function = spec.removeprefix(PREFIX)
    if not _SPEC.fullmatch(function):
        raise ReplayError(
            f"worker = {spec}: give python:module:function, such as python:worker.runner:run_plan."
        )
    interpreter = _found(python) if python else sys.executable
    # Absolute: its slot is another folder than ours.
    entries = filter(None, parent.get("PYTHONPATH", "").split(os.pathsep))
    library = os.pathsep.join(str(Path(entry).absolute()) for entry in entries)
    options = ["--path", str(folder), *(["--fast-sleeps"] if fast_sleeps else [])]
    return ProcessWorker(
        name=spec,
        argv=(interpreter, "-u", str(_HOST), *options, function),
        # Bytecode would be written beside the worker's code, which is not ours to add to.
        env={"PYTHONDONTWRITEBYTECODE": "1", **({"PYTHONPATH": library} if library else {})},
        folder=folder,
        starts_in_folder=False,
        talk=(3, 4),
        greets=True,
        fast_sleeps=fast_sleeps,
        manifests=_manifests(interpreter, folder, library),
    )


def _found(python: Path) -> str:
    """Its absolute path, links kept: a virtual environment is known by them."""
    found = shutil.which(python)
    if found is None:
        raise ReplayError(f"worker_python = {python}: there is no such program. Give its path.")
    return str(Path(found).absolute())


def playwright_manifests(interpreter: Path | None, folder: Path) -> tuple[Path, ...]:
    """Those of the Playwright that a program in this interpreter imports; none without one."""
    return _manifests(str(interpreter), folder, "") if interpreter else ()


def _manifests(interpreter: str, folder: Path, library: str) -> tuple[Path, ...]:
    """Of the Playwright that this interpreter imports; none if it has none."""
    environ = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "")}
    if library:
        environ["PYTHONPATH"] = library
    try:
        ended = subprocess.run(
            [interpreter, "-c", _WHERE],
            env=environ, cwd=folder, capture_output=True, text=True, timeout=_ASK_S, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise ReplayError(
            f"worker_python = {interpreter}: it does not run ({error}). Give the interpreter of "
            "the worker's environment."
        ) from error
    origin = ended.stdout.strip()
    return (Path(origin).parent / "driver" / "package" / "browsers.json",) if origin else ()
