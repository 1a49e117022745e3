"""A small disk of its own for the journal, that can be made full."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BLOCK = bytes(1 << 20)


class Disk:
    """A file system in memory of `size_mb`; where one may not be mounted, the folder as it is."""

    def __init__(self, folder: Path, *, size_mb: int) -> None:
        self.folder = folder
        folder.mkdir()
        options = f"size={size_mb}m"
        command = ["mount", "-t", "tmpfs", "-o", options, "shadow-soak", str(folder)]
        mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
        self.is_own = mounted
        """False: it cannot be made full without harm to others, and stays as it is."""

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_own:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no byte free while the block runs."""
        if not self.is_own:
            yield
            return
        filler = self.folder / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(_BLOCK)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
            yield
        finally:
            filler.unlink(missing_ok=True)
