"""The hatch to a stack's database: PostgreSQL's sessions of one role with one database.

Only the first packet is looked at. What follows goes through as it is, passwords included.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from replay.sandbox.piping import pipe_both
from replay.worker.stack.addresses import DatabaseAddress
from replay.worker.stack.hatch import Hatch, Refuse

_CANCEL, _TLS, _GSS = 80877102, 80877103, 80877104
_VERSION = 3
_LONGEST = 10_000
"""As the server's own limit of a first packet."""


def read_startup(body: bytes) -> dict[str, str] | None:
    """The parameters of a session's first packet, without its length; None for another one."""
    if len(body) < 4 or struct.unpack_from("!H", body)[0] != _VERSION:
        return None
    # Names and values in turn, each with a zero at its end; an empty name ends the list.
    words = iter(body[4:].decode("utf-8", "replace").split("\0"))
    return {name: next(words, "") for name in iter(lambda: next(words, ""), "")}


class DatabaseHatch(Hatch):
    """See the module. `database` is the one that it leads to; None before there is one."""

    def __init__(self, listener: socket.socket, refuse: Refuse, server: DatabaseAddress) -> None:
        super().__init__(listener, refuse)
        self.database: str | None = None
        self._server_address = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead one session to the database, or refuse it."""
        while True:
            length, code = struct.unpack("!II", packet := await reader.readexactly(8))
            if not 8 <= length <= _LONGEST:
                return
            body = await reader.readexactly(length - 8)
            if code not in (_TLS, _GSS):
                break
            # Nobody listens in on a loopback of the slot's own.
            writer.write(b"N")
            await writer.drain()
        told = read_startup(packet[4:] + body) if code != _CANCEL else {}
        if told is None:
            return
        if code != _CANCEL:
            user, server = told.get("user", ""), self._server_address
            database = told.get("database") or user
            if (database, user) != (self.database, server.user) or "replication" in told:
                self._refuse("tcp", f"postgresql://{user}@127.0.0.1:{self.port}/{database}")
                writer.write(_refusal(f'this way leads to database "{self.database}" only'))
                await writer.drain()
                return
        far = await self._open()
        far[1].write(packet + body)
        await pipe_both(reader, writer, *far)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        server = self._server_address
        if server.socket is not None:
            return await asyncio.open_unix_connection(server.socket)
        return await asyncio.open_connection(server.host, server.port)


def _refusal(text: str) -> bytes:
    fields = b"".join(
        code + value.encode() + b"\0"
        for code, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", "28000"), (b"M", text))
    )
    body = fields + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body
