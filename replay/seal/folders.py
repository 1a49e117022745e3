"""Keeps what a slot's processes write out of the machine's files, and knows what they wrote.

Run inside the slot's mount namespace by its keeper, so nothing but the standard library. The whole
tree is made read-only. Over each of its top folders lies a layer that takes what is written and is
thrown away with the slot: a worker that writes beside its own folders works on as it would in
production, nothing of it reaches the machine, and afterwards the layer tells which files it was.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from replay.seal.devices import leave_devices
from replay.seal.mounting import BIND, NODEV, NOSUID, mount, set_read_only

LAYERS = "layers"
"""A folder of the slot's own, under which the layers are mounted out of its sight."""
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
        set_read_only(Path("/"), read_only=True, recursive=True)
        layers = slot / LAYERS
        mount("tmpfs", layers, "tmpfs", NOSUID | NODEV, "mode=0700")
        self._layers = _opened(layers)
        for folder in tops:
            with contextlib.suppress(OSError):
                self._cover(folder)
        devices = Path(f"/proc/self/fd/{self._layers}", "dev")
        devices.mkdir()
        leave_devices(devices)
        # Covered with the folder that it is in; what it had mounted inside stays out of sight.
        mount(f"/proc/self/fd/{own}", slot, "", BIND)
        os.close(own)
        set_read_only(slot, read_only=False, recursive=False)

    def written(self) -> list[str]:
        """Paths written, made or removed beside the slot and the temporary folders, at most 200."""
        found = []
        here = Path(f"/proc/self/fd/{self._layers}")
        for place, folders, files in os.walk(here):
            links = (name for name in folders if Path(place, name).is_symlink())
            for name in (*files, *links):
                within = str(Path(place, name).relative_to(here))
                top, kind, path = [*within.split("/", 2), "", ""][:3]
                told = f"/{top.replace(':', '/')}/{path}"
                if kind == "upper" and _is_told(told):
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
        mode = stat.S_IMODE(status.st_mode)
        try:
            os.chown(upper, status.st_uid, status.st_gid)
        except OSError:
            # Another's cannot be given away in a user namespace. Then the cover is ours, and what
            # its owner alone may do is taken from us by its mode.
            mode = mode if mode & stat.S_IWOTH else mode & ~0o222
        upper.chmod(mode)
        options = f"lowerdir={folder},upperdir={upper},workdir={work}"
        try:
            mount("overlay", folder, "overlay", NOSUID | NODEV, options)
        except OSError:
            # What a user namespace may have.
            mount("overlay", folder, "overlay", NOSUID | NODEV, f"{options},userxattr")


def _is_told(path: str) -> bool:
    return not path.startswith(_TEMPORARY) and not any(cache in path for cache in _CACHES)


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
