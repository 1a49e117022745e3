"""Examines the place where the record is kept."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from pathlib import Path

from harness.doctor.check import Findings, Subject
from harness.doctor.plan import Plan
from harness.errors import JournalBusyError, ShadowError
from harness.journal.store import Journal
from harness.record.postgres.introspect import Server
from harness.record.writer import PRODUCTION

LITTLE_MB = 2_000.0
"""About 20 million events; a week of a small system is far less."""
NOTHING_MB = 100.0
_BUSY_S = 3.0


def examine_journal(plan: Plan, server: Server | None) -> Findings:
    """Look at folder, disk and file. server: what the DSN leads to, None if nowhere."""
    found = Findings(Subject.JOURNAL)
    path = plan.settings.journal
    if _judge_folder(path, found):
        _judge_disk(path, found)
        if path.exists():
            _judge_file(path, server, found)
        else:
            found.ok("file", f"{path} will be made")
    return found


def _judge_folder(path: Path, found: Findings) -> bool:
    folder = path.resolve().parent
    if not folder.is_dir():
        found.missing(
            "folder",
            f"{folder} does not exist",
            "Make it, or give another --journal.",
            shell=[f"mkdir -p {shlex.quote(str(folder))}"],
        )
    elif not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not _writable(path)):
        found.missing(
            "folder",
            f"{folder} or the journal in it may not be written by this user",
            "Take it over, or give another --journal.",
            shell=[f'sudo chown -R "$(id -un)" {shlex.quote(str(folder))}'],
        )
    else:
        found.ok("folder", f"{folder} may be written")
        return True
    return False


def _writable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK | os.W_OK)


def _judge_disk(path: Path, found: Findings) -> None:
    free_mb = shutil.disk_usage(path.resolve().parent).free / 1e6
    words = f"{free_mb / 1000:,.1f} GB free"
    mend = "Free some space, or give a --journal on another disk."
    if free_mb < NOTHING_MB:
        found.missing("disk", words, mend)
    elif free_mb < LITTLE_MB:
        found.look("disk", words, mend)
    else:
        found.ok("disk", f"{words}; a million events take about 84 MB")


def _judge_file(path: Path, server: Server | None, found: Findings) -> None:
    try:
        journal = Journal.open(path, busy_timeout_s=_BUSY_S)
        with journal.reader() as reader:
            seq, at, mark = reader.as_of_seq, reader.as_of_time, reader.watermark(PRODUCTION)
    except JournalBusyError:
        found.look("file", f"{path} is being written just now", "Ask again in a moment.")
        return
    except ShadowError as error:
        found.missing(
            "file",
            str(error),
            "Keep that file and record into another one.",
            shell=["export SHADOW_JOURNAL=another.duckdb"],
        )
        return
    identity = mark.position.get("identity") if mark else None
    if server and server.identity and identity and identity != server.identity:
        found.missing(
            "file",
            f"{path} was recorded from another database than SHADOW_DSN names",
            "Record into another one, or point SHADOW_DSN at the first database.",
            shell=["export SHADOW_JOURNAL=another.duckdb"],
        )
    elif seq == 0:
        found.ok("file", f"{path} is an empty journal")
    else:
        until = f", complete until {mark.complete_until:%Y-%m-%d %H:%M:%S} UTC" if mark else ""
        found.ok(
            "file",
            f"{path}: {seq:,} events, the last at {at:%Y-%m-%d %H:%M:%S} UTC{until}"
            f"{_recorder_of(path)}",
        )


def _recorder_of(path: Path) -> str:
    """Who records into it now, if anybody does; the lock of a dead one is free."""
    try:
        with path.with_name(path.name + ".recorder").open() as lock:
            holder = lock.read(32).strip()
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return ""
    except OSError:
        return f"; process {holder or '?'} records into it now"
    return ""
