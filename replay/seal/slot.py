"""A place for worker processes that are not ours: nothing of the machine, one way to one site.

    async with Slot(sandbox, browser, isolation=find_isolation()) as slot:
        async with slot.admit(visit):
            process = await slot.start(["node", "worker.mjs"])

A slot has a home, a folder for its work and a door of its own, for as long as it lives; which
submission the door leads to is switched by `admit`, so a worker may keep its browser from one
submission to the next. What is left of processes and files when it ends is told, and taken away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import EnvironmentProblem
from replay.browser import QUIET_ARGS
from replay.sandbox.gateway import Door
from replay.sandbox.seal import launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.seal.covers import Covers
from replay.seal.environment import sealed_environment
from replay.seal.folders import LAYERS
from replay.seal.isolation import Isolation, SlotLayer, end_keeper, start_keeper
from replay.seal.launcher import lay_out_downloads, link_names, write_wrapper
from replay.seal.machine import plan_mounts
from replay.seal.names import NameListener
from replay.seal.packets import Target
from replay.seal.process import SlotProcess
from replay.seal.watch import Watch

_ANSWER_LIMIT = 4 * 1024 * 1024
_READY_S = 15.0


class SlotLostError(Exception):
    """The slot's keeper has died, and with it everything in the slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What a slot still held when it was ended."""

    processes: tuple[str, ...] = ()
    """Command lines of those that were alive."""
    files: tuple[str, ...] = ()
    """Paths inside the slot's home, work and temporary folders."""


class Slot:
    """See the module. An async context manager; `end` tells more than its exit.

    browser: the Chromium that is sealed. manifests: of the Playwright packages whose downloads are
    to be played, see `find_manifests`. code: folder of the worker's own; what it writes there is
    thrown away like all else, but is nothing to tell. hatches: so many listeners beside the door's,
    for whoever makes the slot to serve. Raises EnvironmentProblem where `isolation` is not allowed.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        browser: Path,
        *,
        isolation: Isolation,
        manifests: Sequence[Path] = (),
        code: Path | None = None,
        hatches: int = 0,
        parent: Mapping[str, str] = os.environ,
    ) -> None:
        self.layers: tuple[SlotLayer, ...] = isolation.layers
        self.environment: dict[str, str] = {}
        """What every process of the slot is given; nothing else of ours."""
        self.hatches: tuple[socket.socket, ...] = ()
        """Listeners on the slot's loopback; without a network of its own, on the machine's."""
        self._sandbox = sandbox
        self._browser = browser
        self._isolation = isolation
        self._manifests = manifests
        self._code = code
        self._hatches = hatches
        self._parent = parent
        self._idle = Visit.of_nobody()
        self._stack = AsyncExitStack()
        self._starting = asyncio.Lock()
        self._told: deque[asyncio.Future[dict[str, Any]]] = deque()
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._processes: set[SlotProcess] = set()
        self._unread = b""
        self._written: set[str] = set()
        self._lost = False
        self._settle: Callable[[], None] = lambda: None
        self._root: Path
        self._covers: Covers
        self._link: socket.socket
        self._door: Door

    @property
    def home(self) -> Path:
        """HOME of its processes."""
        return self._root / "home"

    @property
    def work(self) -> Path:
        """Where its processes start unless told otherwise."""
        return self._root / "work"

    @property
    def log(self) -> Path:
        """What its processes printed."""
        return self._root / "log"

    @property
    def door(self) -> str:
        """Address of its proxy, as its processes see it."""
        return self._door.address

    async def __aenter__(self) -> Slot:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end()

    @contextlib.asynccontextmanager
    async def admit(self, visit: Visit) -> AsyncIterator[None]:
        """Let the slot's door lead to `visit`, until exit.

        What a process tries between two visits belongs to nobody; a late request for the site of
        the last one is refused without a word.
        """
        try:
            async with self._door.admit(visit):
                try:
                    yield
                finally:
                    await self._tell_what_was_tried()
        finally:
            self._idle.authorities = visit.authorities
            self._sandbox.nobody.escapes += self._idle.take_escapes()

    async def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        talk: tuple[int, int] = (0, 1),
    ) -> SlotProcess:
        """Start a program of the slot. env: added to the slot's environment.

        talk: descriptors from which it reads what is sent and on which it answers; whatever else
        it prints goes to the log. Raises EnvironmentProblem if there is no such program.
        """
        environment = {**self.environment, **(env or {})}
        reads, sends = os.pipe()
        answered, answers = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        given = {0: nothing, 1: log, 2: log, talk[0]: reads, talk[1]: answers}
        ours = [os.fdopen(answered, "rb", 0), os.fdopen(sends, "wb", 0)]
        try:
            async with self._starting:
                told = await self._ask(
                    list(given.values()),
                    do="start",
                    argv=[shutil.which(argv[0], path=environment["PATH"]) or argv[0], *argv[1:]],
                    env=environment,
                    cwd=str(cwd or self.work),
                    **{"as": list(given)},
                )
            if "failed" in told:
                raise EnvironmentProblem(f"{argv[0]} does not start: {told['failed']}.")
            loop = asyncio.get_running_loop()
            reader = asyncio.StreamReader(limit=_ANSWER_LIMIT)
            incoming, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), ours[0]
            )
            outgoing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, ours[1])
        except BaseException:
            for file in ours:
                file.close()
            raise
        finally:
            for fd in (reads, answers, nothing, log):
                os.close(fd)
        pid = told["started"]
        process = SlotProcess(pid, outgoing, reader, incoming, self._ended[pid])
        self._processes.add(process)
        return process

    def refuse(self, kind: str, url: str) -> None:
        """Record that a process asked one of the hatches for what it does not lead to."""
        self._door.visit.escape(kind, url, SlotLayer.DOOR)

    async def clear(self) -> tuple[str, ...]:
        """Kill every process of the slot; returns the command lines of those that were alive."""
        told = await self._ask(do="clear")
        for process in self._processes:
            process.close()
        self._processes.clear()
        self._ended.clear()
        return tuple(told["cleared"])

    async def end(self) -> Leftovers:
        """Kill every process, close the door, remove the folders; tell what was left."""
        processes: tuple[str, ...] = ()
        files: tuple[str, ...] = ()
        try:
            with contextlib.suppress(SlotLostError):
                processes = await self.clear()
            await self._tell_what_was_tried()
            files = tuple(sorted(self._files()))
        finally:
            for process in self._processes:
                process.close()
            await self._stack.aclose()
            self._sandbox.nobody.escapes += self._idle.take_escapes()
        return Leftovers(processes=processes, files=files)

    async def _open(self) -> None:
        # Asked anew: a run has a folder of its own for what it leaves when it is killed.
        folder = os.environ.get("TMPDIR") or tempfile.gettempdir()
        self._root = Path(tempfile.mkdtemp(prefix="slot-", dir=folder)).resolve()
        self._stack.callback(shutil.rmtree, self._root, ignore_errors=True)
        for name in ("home", "work", "tmp", "bin", "browsers", "covers", LAYERS):
            (self._root / name).mkdir()
        self._covers = self._stack.enter_context(Covers(self._root / "covers", self._met))
        mounts = []
        if self._isolation.files:
            path = self._parent.get("PATH")
            mounts = [
                *plan_mounts(self._root, browser=self._browser, wrapper=self._wrapper, path=path),
                *self._covers.mounts(),
            ]
        keeper, self._link = start_keeper(
            self._isolation.spaces, place=self._root, mounts=tuple(mounts), hatches=self._hatches
        )
        self._stack.push_async_callback(self._end_keeper, keeper)
        door, names, packets, *hatches = await self._listeners()
        for hatch in filter(None, hatches):
            self._stack.callback(hatch.close)
            self.hatches += (hatch,)
        self._link.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._link, self._hear)
        self._door = self._sandbox.door(self._idle, door)
        await self._stack.enter_async_context(self._door)
        if names is not None:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: NameListener(self._asked_for), sock=names
            )
            self._stack.callback(transport.close)
        if packets is not None:
            watch = self._stack.enter_context(Watch(packets, self._tried))
            self._settle = watch.settle
        await self._covers.listen()
        self._furnish()

    async def _listeners(self) -> tuple[socket.socket | None, ...]:
        """Of the door, of names, of packets, and of the hatches, as the keeper opened them inside.

        Where there is no inside, only the hatches have any, and these are of the machine.
        """
        self._link.settimeout(_READY_S)
        try:
            data, fds, _, _ = await asyncio.to_thread(socket.recv_fds, self._link, 65536, 8)
        except TimeoutError:
            data, fds = b"", []
        told = json.loads(data) if data else {"refused": "its keeper does not answer"}
        if "refused" in told:
            raise EnvironmentProblem(f"No slot can be made: {told['refused']}.")
        if not fds:
            made = (socket.create_server(("127.0.0.1", 0)) for _ in range(self._hatches))
            return (None, None, None, *made)
        door, names, *others = (socket.socket(fileno=fd) for fd in fds)
        # Of packets there is one where the kernel lets us see them.
        hatches, packets = others[: self._hatches], others[self._hatches :]
        return (door, names, packets[0] if packets else None, *hatches)

    @property
    def _wrapper(self) -> Path:
        return self._root / "chromium"

    def _furnish(self) -> None:
        """Write what the slot's environment names."""
        root = self._root
        authority = root / "authority.pem"
        authority.write_bytes(self._sandbox.authority_pem)
        browser = self._browser
        if self._isolation.files:
            browser = root / "real" / browser.name
        switches = [
            *QUIET_ARGS,
            *launch_args(spki=self._sandbox.spki),
            f"--proxy-server={self.door}",
            "--proxy-bypass-list=<-loopback>",
        ]
        write_wrapper(self._wrapper, browser, switches)
        link_names(root / "bin", self._wrapper)
        lay_out_downloads(root / "browsers", self._wrapper, self._manifests)
        self.environment = sealed_environment(
            self._parent,
            door=self.door,
            authority=authority,
            home=self.home,
            temporary=root / "tmp",
            programs=root / "bin",
            browsers=root / "browsers",
            browser=self._wrapper,
        )

    def _files(self) -> list[str]:
        folders = (self.home, self.work, self._root / "tmp")
        return [
            str(path.relative_to(self._root))
            for folder in folders
            for path in folder.rglob("*")
            if not path.is_dir()
        ]

    def _asked_for(self, name: str) -> None:
        if not self._door.visit.allows(name, 443):
            self._door.visit.escape("dns", name, SlotLayer.NETWORK)

    async def _tell_what_was_tried(self) -> None:
        """Tell the visit at the door what is known only afterwards."""
        self._settle()
        with contextlib.suppress(SlotLostError):
            told = await self._ask(do="tell")
            for path in told["written"]:
                own = self._code is not None and Path(path).is_relative_to(self._code)
                if not own and path not in self._written:
                    self._written.add(path)
                    self._door.visit.escape("file", f"file://{path}", SlotLayer.WRITES)

    def _met(self, path: Path) -> None:
        self._door.visit.escape("unix socket", f"unix:{path}", SlotLayer.FILES)

    def _tried(self, target: Target) -> None:
        self._door.visit.escape(target.kind, target.url, SlotLayer.NETWORK)

    async def _ask(self, fds: Sequence[int] = (), **words: Any) -> dict[str, Any]:
        """Tell the keeper to do something, and return its answer."""
        if self._lost:
            raise SlotLostError
        told: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        data = json.dumps(words).encode() + b"\n"
        try:
            if fds:
                socket.send_fds(self._link, [data], fds)
            else:
                self._link.send(data)
        except OSError as error:
            raise SlotLostError from error
        self._told.append(told)
        return await told

    def _hear(self) -> None:
        """Read what the keeper says."""
        try:
            data = self._link.recv(65536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "exited" in told:
                # Others than those that we started end too; they are the keeper's.
                ended = self._ended.get(told["exited"])
                if ended is not None and not ended.done():
                    ended.set_result(told["code"])
                continue
            if "started" in told:
                # Here and not later: it may have ended before whoever asked hears of it.
                self._ended[told["started"]] = asyncio.get_running_loop().create_future()
            if self._told and not (asked := self._told.popleft()).done():
                asked.set_result(told)

    def _lose(self) -> None:
        self._lost = True
        asyncio.get_running_loop().remove_reader(self._link)
        waited: list[asyncio.Future[Any]] = [*self._told, *self._ended.values()]
        for waiting in waited:
            if not waiting.done():
                waiting.set_exception(SlotLostError())
                # Whoever waits for it hears of it; where nobody does, that is no fault.
                waiting.exception()
        self._told.clear()

    async def _end_keeper(self, keeper: subprocess.Popen[bytes]) -> None:
        asyncio.get_running_loop().remove_reader(self._link)
        self._link.close()
        await asyncio.to_thread(end_keeper, keeper)
