"""Watches the packets of a slot from the replay's event loop, and tells what they were to reach."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType

from replay.seal.packets import PacketReader, Target

_OUTGOING = 4
_LONGEST = 256


class Watch:
    """Reads a packet socket from enter to exit, and closes it. heard: called with each target."""

    def __init__(self, packets: socket.socket, heard: Callable[[Target], None]) -> None:
        self._packets = packets
        self._heard = heard
        self._reader = PacketReader()

    def __enter__(self) -> Watch:
        self._packets.setblocking(False)
        asyncio.get_running_loop().add_reader(self._packets, self._read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._packets)
        self._packets.close()

    def settle(self) -> None:
        """Tell all that was tried until now, refused ports of loopback too."""
        self._read()
        for target in self._reader.take_refused():
            self._heard(target)

    def _read(self) -> None:
        while True:
            try:
                data, (_, _, way, *_) = self._packets.recvfrom(_LONGEST)
            except BlockingIOError:
                return
            # On a loopback each packet is seen as it leaves and as it arrives.
            if way == _OUTGOING and (target := self._reader.read(data)):
                self._heard(target)
