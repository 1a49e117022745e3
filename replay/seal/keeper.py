"""The first process of a slot: makes its namespaces, starts workers in it, and leaves nobody alive.

It needs nothing but the standard library: an isolated interpreter without site packages runs it,
whose only argument is the number of a socket. Over that it speaks JSON lines with the replay, which
also hands file descriptors over. The first line is what to make; the answer brings the sockets that
listen inside. When the socket closes, whatever the reason, every process of the slot is killed.

With a process namespace the keeper is its process 1, so whoever lost their parent is still its
own. Without one it is the reaper of its descendants, where the system has such a thing.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from replay.seal.devices import close_settings
from replay.seal.folders import Folders
from replay.seal.mounting import BIND, NODEV, NOEXEC, NOSUID, PRIVATE, RECURSIVE, mount
from replay.seal.outlook import open_outlook

_NEWNS, _NEWUSER, _NEWPID, _NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_SET_PDEATHSIG, _CAPBSET_DROP, _SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVS = 1, 24, 36, 38
_KEPT_CAPABILITIES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 29, 31})
"""What root may still do inside: files, users, signals, low ports, chroot. Not: networks, raw
sockets, devices, modules, tracing, mounts."""
_LAST_CAPABILITY = 63
_MOST_FDS = 16
_KILLED_WITHIN_S = 5.0


class Keeper:
    """Starts processes, tells how they end, and clears the slot."""

    def __init__(
        self, link: socket.socket, *, alone: bool, confine: bool, folders: Folders | None
    ) -> None:
        self._link = link
        self._folders = folders
        self._alone = alone
        """Every other process that can be seen is of this slot."""
        self._confine = confine
        self._started: set[int] = set()

    def serve(self) -> None:
        """Do what the link says until it closes."""
        woken, wakes = os.pipe()
        for end in (woken, wakes):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        waiting, fds = b"", list[int]()
        while True:
            ready, _, _ = select.select([self._link.fileno(), woken], [], [])
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
                self._reap()
            if self._link.fileno() not in ready:
                continue
            data, more, _, _ = socket.recv_fds(self._link, 65536, _MOST_FDS)
            fds += more
            if not data:
                self._clear()
                return
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                if asked["do"] == "start":
                    count = len(asked["as"])
                    self._start(asked, fds[:count])
                    del fds[:count]
                elif asked["do"] == "tell":
                    _tell(self._link, written=self._folders.written() if self._folders else [])
                else:
                    left = self._clear()
                    self._reap()
                    _tell(self._link, cleared=left)

    def _start(self, asked: dict[str, Any], fds: list[int]) -> None:
        failed, fails = os.pipe()
        pid = os.fork()
        if not pid:
            self._become(asked, fds, fails)
        os.close(fails)
        for fd in fds:
            os.close(fd)
        with os.fdopen(failed, "rb") as read:
            reason = read.read().decode()
        if reason:
            os.waitpid(pid, 0)
            _tell(self._link, failed=reason)
        else:
            self._started.add(pid)
            _tell(self._link, started=pid)

    def _become(self, asked: dict[str, Any], fds: list[int], fails: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            # They came in ready to be inherited, and first go out of the way of each other.
            for fd in fds:
                os.set_inheritable(fd, False)
            high = [_duplicated_above(fd, 3 + len(fds)) for fd in fds]
            fails = _duplicated_above(fails, 3 + len(fds))
            for fd, number in zip(high, asked["as"], strict=True):
                os.dup2(fd, number, inheritable=True)
            if self._confine:
                _confine()
            os.chdir(asked["cwd"])
            os.execvpe(asked["argv"][0], asked["argv"], asked["env"])
        except BaseException as error:
            os.write(fails, (getattr(error, "strerror", None) or repr(error)).encode())
        finally:
            os._exit(127)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                _tell(self._link, exited=ended[0], code=os.waitstatus_to_exitcode(ended[1]))

    def _clear(self) -> list[str]:
        """Kill every process of the slot but this one; returns their command lines."""
        left = self._others()
        deadline = time.monotonic() + _KILLED_WITHIN_S
        while others := self._others():
            for pid in others:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._kill_groups()
            self._reap()
            if time.monotonic() > deadline:
                break
            time.sleep(0.002)
        return list(left.values())

    def _kill_groups(self) -> None:
        """Where orphans are not handed to us, those that stayed in their group."""
        if Path("/proc/self").is_dir():
            return
        for pid in self._started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        self._started.clear()

    def _others(self) -> dict[int, str]:
        """Living processes of the slot, with their command lines."""
        mine = os.getpid()
        table = _processes()
        if self._alone:
            return {pid: line for pid, (_, line) in table.items() if pid != mine}
        found: dict[int, str] = {}
        of = {mine}
        while of:
            below = {pid for pid, (parent, _) in table.items() if parent in of} - found.keys()
            found |= {pid: table[pid][1] for pid in below}
            of = below
        return found


def _processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every living process that can be seen."""
    if not Path("/proc/self").is_dir():
        return _processes_by_ps()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_bytes().rpartition(b")")
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").strip()
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if state not in (b"Z", b"X"):
            line = words or name.partition(b"(")[2]
            found[int(folder.name)] = (int(parent), line.decode(errors="replace"))
    return found


def _processes_by_ps() -> dict[int, tuple[int, str]]:
    lister = subprocess.Popen(
        ["/bin/ps", "-axo", "pid=,ppid=,stat=,command="], stdout=subprocess.PIPE
    )
    rows = [line.split(None, 3) for line in lister.communicate()[0].decode().splitlines()]
    return {
        int(row[0]): (int(row[1]), row[3])
        for row in rows
        if len(row) == 4 and not row[2].startswith("Z") and int(row[0]) != lister.pid
    }


def _tell(link: socket.socket, fds: list[int] | None = None, **words: Any) -> None:
    with contextlib.suppress(OSError):
        data = json.dumps(words).encode() + b"\n"
        if fds:
            socket.send_fds(link, [data], fds)
        else:
            link.sendall(data)


def _duplicated_above(fd: int, least: int) -> int:
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, max(least, 10))


def _libc(name: str, *arguments: Any) -> None:
    """Call a function of libc that returns 0 when it is done; OSError otherwise."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _confine() -> None:
    """Give up what would let a process change its namespaces, or get such a right back."""
    _libc("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.geteuid():
        return
    for number in set(range(_LAST_CAPABILITY)) - _KEPT_CAPABILITIES:
        # The kernel knows fewer numbers than there may be.
        with contextlib.suppress(OSError):
            _libc("prctl", _CAPBSET_DROP, number, 0, 0, 0)


def _unshare(spaces: dict[str, bool]) -> None:
    user, group = os.geteuid(), os.getegid()
    flags = _NEWNET * spaces["network"] | _NEWNS * spaces["files"] | _NEWPID * spaces["processes"]
    _libc("unshare", flags | _NEWUSER * spaces["user"])
    if spaces["user"]:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            Path("/proc/self", name).write_text(text)


def _furnish(asked: dict[str, Any]) -> Folders | None:
    mount("none", Path("/"), "", RECURSIVE | PRIVATE)
    folders = Folders(Path(asked["slot"])) if asked["spaces"]["writes"] else None
    if asked["spaces"]["processes"]:
        mount("proc", Path("/proc"), "proc", NOSUID | NODEV | NOEXEC)
        if folders:
            close_settings()
    for one in asked["mounts"]:
        target = Path(one["target"])
        if one["kind"] == "empty":
            mount("tmpfs", target, "tmpfs", NOSUID | NODEV)
            continue
        if one["kind"] == "made" and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        mount(one["source"], target, "", BIND | RECURSIVE)
    return folders


def _raise_loopback() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        told = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked)
        flags = struct.unpack("16sh14x", told)[1] | _IFF_UP
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def _listeners(hatches: int) -> list[socket.socket]:
    """The door's listener, the socket that hears what names are asked for, and so many hatches'."""
    door, *others = (
        socket.create_server(("127.0.0.1", 0), backlog=256) for _ in range(1 + hatches)
    )
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    return [door, names, *others]


def main() -> None:
    """Make what is asked for, then keep it."""
    link = socket.socket(fileno=int(sys.argv[1]))
    link.set_inheritable(False)
    asked = json.loads(link.makefile("rb").readline())
    spaces = asked["spaces"]
    try:
        if spaces["network"]:
            _unshare(spaces)
        if spaces["processes"]:
            first = os.fork()
            if first:
                link.close()
                signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
                os.waitpid(first, 0)
                return
            _libc("prctl", _SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        elif sys.platform == "linux":
            _libc("prctl", _SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        folders = None
        listeners: list[socket.socket] = []
        if spaces["network"]:
            if spaces["files"]:
                folders = _furnish(asked)
            _raise_loopback()
            listeners = _listeners(asked["hatches"])
            outlook = open_outlook()
            listeners += [outlook] if outlook else []
    except OSError as error:
        _tell(link, refused=error.strerror or str(error))
        return
    _tell(link, [one.fileno() for one in listeners], ready=len(listeners))
    for one in listeners:
        one.close()
    keeper = Keeper(link, alone=spaces["processes"], confine=spaces["network"], folders=folders)
    keeper.serve()
