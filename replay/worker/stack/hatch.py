"""A listener inside a slot that leads to one thing of the run, and refuses all else."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType

Refuse = Callable[[str, str], None]
"""Called with the kind and the address of what was asked for and is not led to."""

_HEAD_LIMIT = 64 * 1024


class Hatch(ABC):
    """Serves the connections of a listener from enter to exit."""

    def __init__(self, listener: socket.socket, refuse: Refuse) -> None:
        self.port: int = listener.getsockname()[1]
        """Its port on the slot's loopback."""
        self._listener = listener
        self._refuse = refuse
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address, as the slot's processes see it."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Hatch:
        self._server = await asyncio.start_server(
            self._accept, sock=self._listener, limit=_HEAD_LIMIT
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """End the connections there are."""
        connections = tuple(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; what ends it early is no error."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            # Only hang_up cancels; a stream handler that ends cancelled is logged as a fault.
            pass
        finally:
            writer.close()
