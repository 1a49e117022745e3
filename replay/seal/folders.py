"""Keeps what a slot's processes write out of the machine's files, and knows what they wrote.

Run inside the slot's mount namespace by its keeper, so nothing but the standard library. The whole
tree is made read-only. Over each of its top folders lies a layer that takes what is written and is
thrown away with the slot: a worker that writes beside its own folders works on as it would in
production, nothing of it reaches the machine, and afterwards the layer tells which files it was.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

LAYERS = "layers"
"""A folder of the slot's own, under which the layers are mounted out of its sight."""
_BIND, _NOSUID, _NODEV = 0x1000, 0x2, 0x4
_MOUNT_SETATTR = 442
"""The same number on every architecture; Linux 5.12 and later."""
_AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = -100, 0x8000, 0x1
_NOT_FILES = frozenset({"proc", "sys", "dev", "run"})
_MOST = 200
_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/")
_CACHES = ("/__pycache__/", "/var/cache/", "/var/lib/fontconfig/")
"""Where programs write by themselves, whatever a worker's code asks for."""


class Folders:
    """The tree as a slot sees it. OSError where this system cannot make it so."""

    def __init__(self, slot: Path) -> None:
        own, tops = _opened(slot), list(_tops())
        # First, or it would close the layers too.
        _set_read_only(Path("/"), read_only=True, recursive=True)
        layers = slot / LAYERS
        _mount("tmpfs", layers, "tmpfs", _NOSUID | _NODEV, "mode=0700")
        self._layers = _opened(layers)
        for folder in tops:
            with contextlib.suppress(OSError):
                self._cover(folder)
        with contextlib.suppress(OSError):
            _mount("tmpfs", Path("/dev/shm"), "tmpfs", _NOSUID | _NODEV, "mode=1777")
        # Covered with the folder that it is in; what it had mounted inside stays out of sight.
        _mount(f"/proc/self/fd/{own}", slot, "", _BIND)
        os.close(own)
        _set_read_only(slot, read_only=False, recursive=False)

    def written(self) -> list[str]:
        """Paths written, made or removed beside the slot and the temporary folders, at most 200."""
        found = []
        here = Path(f"/proc/self/fd/{self._layers}")
        for place, folders, files in os.walk(here):
            links = (name for name in folders if Path(place, name).is_symlink())
            for name in (*files, *links):
                within = str(Path(place, name).relative_to(here))
                top, _, path = within.partition("/upper/")
                told = f"/{top.replace(':', '/')}/{path}"
                if path and not told.startswith(_TEMPORARY) and not any(c in told for c in _CACHES):
                    found.append(told)
        return sorted(found)[:_MOST]

    def _cover(self, folder: Path) -> None:
        name = str(folder).strip("/").replace("/", ":")
        # By its number: the way to it may be covered already.
        place = Path(f"/proc/self/fd/{self._layers}", name)
        upper, work = place / "upper", place / "work"
        for made in (upper, work):
            made.mkdir(parents=True)
        status = folder.stat()
        os.chown(upper, status.st_uid, status.st_gid)
        upper.chmod(stat.S_IMODE(status.st_mode))
        options = f"lowerdir={folder},upperdir={upper},workdir={work}"
        try:
            _mount("overlay", folder, "overlay", _NOSUID | _NODEV, options)
        except OSError:
            # What a user namespace may have.
            _mount("overlay", folder, "overlay", _NOSUID | _NODEV, f"{options},userxattr")


def _tops() -> Iterator[Path]:
    """Folders that can be covered: a cover would hide what is mounted further down."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    places = [Path("/tmp"), Path("/var/tmp")]
    places += [one for one in sorted(Path("/").iterdir()) if one.name not in _NOT_FILES]
    for place in dict.fromkeys(places):
        hides = any(point.startswith(f"{place}/") for point in mounted)
        if place.is_dir() and not place.is_symlink() and not hides:
            yield place


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_PATH | os.O_CLOEXEC)


def _mount(source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
    library = ctypes.CDLL(None, use_errno=True)
    words = (source.encode(), os.fsencode(target), kind.encode())
    if library.mount(*words, ctypes.c_ulong(flags), options.encode() or None):
        code = ctypes.get_errno()
        raise OSError(code, f"{os.strerror(code)} ({kind or 'bind'} on {target})")


def _set_read_only(place: Path, *, read_only: bool, recursive: bool) -> None:
    """What ``mount_setattr(2)`` does."""
    wanted = struct.pack("=QQQQ", _READ_ONLY * read_only, _READ_ONLY * (not read_only), 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(place),
        ctypes.c_uint(_AT_RECURSIVE * recursive),
        wanted,
        ctypes.c_size_t(len(wanted)),
    ):
        code = ctypes.get_errno()
        raise OSError(code, f"{os.strerror(code)} (mount_setattr on {place})")
