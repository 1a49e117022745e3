"""Lays sockets of ours over those on which the machine's services listen, and hears who comes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from replay.seal.sockets import listening_sockets


class Covers:
    """Sockets of a slot from enter to exit. met: called with each path that is connected to."""

    def __init__(self, folder: Path, met: Callable[[Path], None]) -> None:
        self._folder = folder
        self._met = met
        self._covered: dict[Path, socket.socket] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Covers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def mounts(self) -> list[dict[str, str]]:
        """What a keeper must mount so that each cover lies where its service listens."""
        asked = []
        for number, path in enumerate(listening_sockets()):
            cover = self._folder / f"{number}.sock"
            listener = self._stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(cover))
            cover.chmod(0o666)
            self._covered[path] = listener
            asked.append({"kind": "made", "source": str(cover), "target": str(path)})
        return asked

    async def listen(self) -> None:
        """Hear of whoever connects, and hang up."""
        for path, listener in self._covered.items():

            def came(_: object, writer: asyncio.StreamWriter, path: Path = path) -> None:
                self._met(path)
                writer.close()

            server = await asyncio.start_unix_server(came, sock=listener)
            self._stack.callback(server.close)
