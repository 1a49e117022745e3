"""One folder for all that browsers and workers of a run leave behind, gone with the run.

A killed run cannot clean up. So a folder is named by its process, and the next run removes those
whose process is gone, with what still runs in them: a browser names its folder in its own command
line, so none but those of that run can be meant.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

_PREFIX = "shadow-replay-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-(\d+)-.*")
_END_S = 3.0


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make it the folder for temporary files of this process' children, and remove it after."""
    clear_leftovers()
    me = psutil.Process()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{me.pid}-{started(me)}-"))
    former = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        if former is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = former
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers() -> int:
    """End and remove what runs that were killed have left; return how many such runs there were."""
    left = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        found = _NAME.fullmatch(folder.name)
        if found is None or not _is_ours(folder) or lives(int(found[1]), found[2]):
            continue
        _end_those_in(folder)
        shutil.rmtree(folder, ignore_errors=True)
        left += 1
    return left


def _is_ours(folder: Path) -> bool:
    try:
        told = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and told.st_uid == os.geteuid()


def started(process: psutil.Process) -> str:
    """A process' start in hundredths of a second: its number may be given to another one later."""
    return str(round(process.create_time() * 100))


def lives(pid: int, begun: str) -> bool:
    """Whether a process of this number that started then is still there."""
    try:
        # Rounding and clock steps may move the start by a hundredth or so.
        return abs(int(started(psutil.Process(pid))) - int(begun)) <= 200
    except psutil.Error:
        return False


def _end_those_in(folder: Path) -> None:
    mine = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(folder) in word for word in process.cmdline()):
                process.kill()
                mine.append(process)
    psutil.wait_procs(mine, timeout=_END_S)
