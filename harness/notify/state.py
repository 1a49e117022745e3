"""The small file that remembers what each channel has been told. Replaced whole or not at all.

It stands beside the journal and not in it: the journal belongs to the recorder, which may hold it
locked. If it is lost, the next look is a first look.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import EnvironmentProblem, SettingsError
from harness.notify.ledger import Ledger
from harness.whole_file import write_whole

VERSION = 1
_MAGIC = '{"shadow_notify":'
_LEDGERS: TypeAdapter[dict[str, Ledger]] = TypeAdapter(dict[str, Ledger])


def state_path(journal: Path, chosen: Path | None) -> Path:
    """Where to remember what was told: as the settings say, else beside the journal."""
    path = chosen or journal.with_name(journal.name + ".notify.json")
    if path.resolve() == journal.resolve():
        raise SettingsError(
            f"notify.state = {path}: this is the journal. Name another file, or leave it out."
        )
    return path


class StateFile:
    """Remembers one ledger a channel in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> tuple[dict[str, Ledger], str | None]:
        """What is remembered, and why that is nothing although there is a file.

        Raises EnvironmentProblem where the file cannot be read or is none of ours: it must not be
        overwritten.
        """
        try:
            text = self.path.read_bytes().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return {}, None
        except OSError as error:
            raise EnvironmentProblem(
                f"{self.path}: cannot be read ({error.strerror}). Let this user read it, or name "
                "another file by notify.state."
            ) from error
        if text and not text.startswith(_MAGIC):
            raise EnvironmentProblem(
                f"{self.path}: is no state file of shadow notify, so it is left alone. "
                "Name another file by notify.state."
            )
        try:
            data: Any = json.loads(text)
            if data["shadow_notify"] != VERSION:
                return {}, f"{self.path} is of version {data['shadow_notify']}; starting anew."
            return _LEDGERS.validate_python(data["channels"]), None
        except (ValueError, KeyError, ValidationError):
            return {}, f"{self.path} is damaged; starting anew."

    def save(self, ledgers: Mapping[str, Ledger]) -> None:
        """Replace the file. Raises EnvironmentProblem and keeps the former one if it cannot."""
        channels = _LEDGERS.dump_python(dict(ledgers), mode="json")
        text = json.dumps(
            {"shadow_notify": VERSION, "channels": channels},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        try:
            write_whole(self.path, text.encode())
        except OSError as error:
            raise EnvironmentProblem(
                f"{self.path}: cannot be written ({error.strerror}), so nothing is told: it would "
                "be told again. Let this user write there, or name another file by notify.state."
            ) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes off for as long as the block runs.

        Raises EnvironmentProblem if one is at work or the lock file cannot be made. The lock
        file stays: to remove one that another process waits for would let in two.
        """
        path = self.path.with_name(self.path.name + ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EnvironmentProblem(
                f"{path}: cannot be made ({error.strerror}). Let this user write there, or name "
                "another file by notify.state."
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise EnvironmentProblem(
                    f"{self.path}: another shadow notify is at work on it. Wait for it or stop it."
                ) from error
            yield
        finally:
            os.close(descriptor)
