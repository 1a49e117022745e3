"""The system calls that change what a process sees of the file system. Standard library only."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR = 442
"""The same number on every architecture; Linux 5.12 and later."""
_AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = -100, 0x8000, 0x1


def mount(source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
    """What ``mount(2)`` does; OSError that names the target."""
    library = ctypes.CDLL(None, use_errno=True)
    words = (source.encode(), os.fsencode(target), kind.encode())
    if library.mount(*words, ctypes.c_ulong(flags), options.encode() or None):
        code = ctypes.get_errno()
        raise OSError(code, f"{os.strerror(code)} ({kind or 'bind'} on {target})")


def set_read_only(place: Path, *, read_only: bool, recursive: bool) -> None:
    """What ``mount_setattr(2)`` does; OSError where the kernel is older than 5.12."""
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
