"""Doors: one loopback proxy a submission, which leads to the sandbox's sites and nowhere else.

A site must know whose submission it is being visited for, and nothing that the worker or the page
sees may be altered for that. So identity is taken from the connection: each browser context gets a
proxy of its own, and the sandbox looks up which door a connection came through by its source port.
The same door is the strongest layer of the seal: it has no code that connects anywhere but to the
sandbox, so what the browser's network stack sends can only end there or be refused and recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

from replay.sandbox.layers import SealLayer
from replay.sandbox.piping import pipe_both
from replay.sandbox.visit import Visit

_HEAD_LIMIT = 64 * 1024
_REFUSED = b"HTTP/1.1 403 Not of the sandbox\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
SIGNED = re.compile(rb"\r\nauthorization: AWS4-\S+ Credential=[^/]+/\d+/([^/]+)/([^/]+)/", re.I)
"""Region and service of a request that is signed for one of Amazon's."""
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Where the sandbox's server listens, on 127.0.0.1."""

    tls_port: int
    plain_port: int


class Visitors:
    """Which visit a connection to the sandbox belongs to, by its source port."""

    def __init__(self) -> None:
        self._by_port: dict[int, Visit] = {}

    def enter(self, port: int, visit: Visit) -> None:
        """A door opened a connection from this port."""
        self._by_port[port] = visit

    def leave(self, port: int) -> None:
        """That connection is closed."""
        self._by_port.pop(port, None)

    def find(self, port: int) -> Visit | None:
        """The visit of a connection; None if it came through no door."""
        return self._by_port.get(port)


class Door:
    """The proxy of one visit, or of several in turn; listens from enter to exit of its context.

    listener: accepts in place of a socket of our own; closed with the door.
    """

    def __init__(
        self,
        visit: Visit,
        inside: Inside,
        visitors: Visitors,
        *,
        listener: socket.socket | None = None,
    ) -> None:
        self.visit = visit
        self._inside = inside
        self._visitors = visitors
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """What the browser is told to use as its proxy. RuntimeError while it is closed."""
        if self._server is None:
            raise RuntimeError("the door is closed")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Door:
        listener = self._listener or socket.create_server(("127.0.0.1", 0))
        self._server = await asyncio.start_server(
            self._accept, sock=listener, limit=_HEAD_LIMIT, start_serving=False
        )
        try:
            await self._server.start_serving()
        except BaseException:
            # A run that ends cancels who is on the way in; nobody else would close the socket.
            self._server.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._hang_up()
        await self._server.wait_closed()
        self._server = None

    @contextlib.asynccontextmanager
    async def admit(self, visit: Visit) -> AsyncIterator[None]:
        """Lead to `visit` until exit, and to the door's own visit again after it.

        Connections do not outlive the visit that they were opened in, however long a browser
        would keep them.
        """
        before, self.visit = self.visit, visit
        await self._hang_up()
        try:
            yield
        finally:
            self.visit = before
            await self._hang_up()

    async def _hang_up(self) -> None:
        connections = tuple(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            # Only _hang_up cancels; a stream handler that ends cancelled is logged as a fault.
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        target = rest.partition(" ")[0]
        tunnel = method == "CONNECT"
        address = urlsplit(f"//{target}" if tunnel else target)
        try:
            host, port = address.hostname or "", address.port or (443 if tunnel else 80)
        except ValueError:
            host, port = "", 0
        visit = self.visit
        if not visit.allows(host, port):
            service = SIGNED.search(head)
            if service and host in ("", "127.0.0.1"):
                # Sent to the endpoint that a worker's environment names, which is this door.
                region, name = (part.decode("latin-1") for part in service.groups())
                visit.escape("aws", f"aws://{name}.{region}{address.path}", SealLayer.PROXY)
            else:
                visit.escape("proxy", target, SealLayer.PROXY)
            writer.write(_REFUSED)
            await writer.drain()
            return
        # Whatever port a plan names is https through a tunnel, except the one that never is.
        secure = tunnel and port != 80
        upstream = self._inside.tls_port if secure else self._inside.plain_port
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", upstream)
        source_port = far_writer.get_extra_info("sockname")[1]
        self._visitors.enter(source_port, visit)
        try:
            if tunnel:
                writer.write(_ESTABLISHED)
            else:
                far_writer.write(head)
            await pipe_both(reader, writer, far_reader, far_writer)
        finally:
            self._visitors.leave(source_port)
            far_writer.close()
