"""Appends a record to a file, one line of JSON each."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path

from harness.notify.channels.channel import DeliveryError
from harness.notify.message import Message, to_record


class FileChannel:
    """A file of JSON lines, as other programs follow one."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> None:
        """Append the message's record as one whole line, or nothing."""
        line = json.dumps(to_record(message), ensure_ascii=False).encode() + b"\n"
        try:
            descriptor = os.open(
                self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
            try:
                _append(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            # A full disk or a missing folder is still so in a second; the next look tries again.
            raise DeliveryError(
                f"{self._path} cannot be written ({error.strerror})", again=False
            ) from None


def _append(descriptor: int, line: bytes) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.write(descriptor, line)
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        # Somebody was killed in the middle of a line; ours must not grow onto it.
        line = b"\n" + line
    try:
        written = os.write(descriptor, line)
        if written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise
