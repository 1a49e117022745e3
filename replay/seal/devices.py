"""Leaves a slot only the devices that every program needs, and the kernel's settings read-only.

Run inside the slot's mount namespace by its keeper, so nothing but the standard library. A worker
of root's could otherwise write to the machine's disk past all files, or change its kernel.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from replay.seal.mounting import BIND, NODEV, NOEXEC, NOSUID, RECURSIVE, mount, set_read_only

_KEPT = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
_SETTINGS = ("sys", "sysrq-trigger", "irq", "bus", "fs")


def leave_devices(place: Path) -> None:
    """Put a /dev of these few in place of the machine's. place: an empty folder to build it in."""
    for name in _KEPT:
        device = Path("/dev", name)
        if device.exists():
            (place / name).touch()
            mount(str(device), place / name, "", BIND)
    for name in ("pts", "shm"):
        (place / name).mkdir()
    # Without terminals of its own a slot has none: those of the machine are other people's.
    with contextlib.suppress(OSError):
        options = "newinstance,ptmxmode=0666,mode=0620"
        mount("devpts", place / "pts", "devpts", NOSUID | NOEXEC, options)
    mount("tmpfs", place / "shm", "tmpfs", NOSUID | NODEV, "mode=1777")
    for name, target in _LINKS.items():
        (place / name).symlink_to(target)
    mount(str(place), Path("/dev"), "", BIND | RECURSIVE)


def close_settings() -> None:
    """Make what a /proc of the slot's own lets root change read-only."""
    for name in _SETTINGS:
        place = Path("/proc", name)
        if place.exists():
            mount(str(place), place, "", BIND | RECURSIVE)
            set_read_only(place, read_only=True, recursive=True)
