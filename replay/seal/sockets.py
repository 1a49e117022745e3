"""Finds the Unix sockets on which this machine's services listen, so that a slot can cover them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

_LISTENING = 0x10000
_MOST = 100
_HIDDEN = "/run/"
_SERVICES = ("pgsql", "mysql", "redis", "mongo", "memcached", "docker", "podman", "containerd")
"""Of those that a slot hides anyway, the ones whose use is told. Libraries try others by
themselves, such as the bus of a desktop, whatever a worker's code asks for."""


def listening_sockets(table: Path = Path("/proc/net/unix")) -> list[Path]:
    """Paths that a program of this machine listens at and that can be seen, at most 100."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()[1:]
    except OSError:
        return []
    found = (path for path in dict.fromkeys(_listened_at(lines)) if _is_told(path))
    return sorted(path for path in found if _is_socket(path))[:_MOST]


def _listened_at(lines: Iterable[str]) -> Iterator[Path]:
    for line in lines:
        words = line.split(None, 7)
        if len(words) == 8 and int(words[3], 16) & _LISTENING and words[7].startswith("/"):
            yield Path(os.path.realpath(words[7]))


def _is_told(path: Path) -> bool:
    hidden = str(path).startswith(_HIDDEN)
    return not hidden or any(name in str(path).lower() for name in _SERVICES)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
