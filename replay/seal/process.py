"""One process in a slot, as the replay talks to it."""

from __future__ import annotations

import asyncio


class SlotProcess:
    """A process in a slot. Its output that is no answer goes to the slot's log."""

    def __init__(
        self,
        pid: int,
        orders: asyncio.WriteTransport,
        answers: asyncio.StreamReader,
        incoming: asyncio.ReadTransport,
        ended: asyncio.Future[int],
    ) -> None:
        self.pid = pid
        """As the slot numbers it."""
        self.answers = answers
        self._orders = orders
        self._incoming = incoming
        self._ended = ended

    @property
    def returncode(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it lives.

        Raises SlotLostError if the whole slot died.
        """
        return self._ended.result() if self._ended.done() else None

    def send(self, data: bytes) -> None:
        """Write to the descriptor that it reads its orders from; a closed one is no error."""
        self._orders.write(data)

    def hang_up(self) -> None:
        """Close that descriptor."""
        self._orders.close()

    def close(self) -> None:
        """Close our ends of its descriptors."""
        self._orders.close()
        self._incoming.close()

    async def wait(self) -> int:
        """Wait for its end; SlotLostError if the whole slot died."""
        return await asyncio.shield(self._ended)
