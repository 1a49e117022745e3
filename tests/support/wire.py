"""A wire between recorder and server that can be stopped before every statement, and cut.

It lets a test do something between any two statements of the recorder, whatever the recorder is
made of: the statement waits on the wire until the test's own work is done. So what is a race
elsewhere is here a place in a list.
"""

from __future__ import annotations

import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_STATEMENTS = b"QP"
"""A simple query, and the Parse that begins one with parameters."""
_PORT = 5432


class CutError(Exception):
    """Raised by whoever listens at the wire: the connection ends here."""


class Wire:
    """Listens beside the server; `before` is called with the number of each statement to come.

    The numbers count from the last `listen`. Not for TLS: the wire must read what it carries.
    """

    def __init__(self, server_dsn: str) -> None:
        behind = conninfo_to_dict(server_dsn)
        self._server = f"{behind['host']}/.s.PGSQL.{behind.get('port') or 5432}"
        self.folder = Path(tempfile.mkdtemp(prefix="shadow-wire-")).resolve()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / f".s.PGSQL.{_PORT}"))
        self._listener.listen()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._before: Callable[[int], None] | None = None
        self._number = 0
        self.failure: BaseException | None = None
        """What went wrong in `before`, other than a CutError."""

    def route(self, dsn: str) -> str:
        """Return `dsn` with the way over this wire."""
        return make_conninfo(dsn, host=str(self.folder), port=_PORT)

    def listen(self, before: Callable[[int], None] | None) -> None:
        """From now on call `before` with 1, 2, 3 … before each statement; None lets all pass."""
        self._number = 0
        self._before = before

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Closing a listener does not wake who waits at it; shutting it down does.
        for end in (self._listener, *self._open):
            _end(end)
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, name="wire", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            self._open += [client, server]
            try:
                server.connect(self._server)
            except OSError:
                # To the recorder a server that is down looks like a connection that ends at once.
                _end(client)
                continue
            self._start(self._carry_questions, client, server)
            self._start(_carry_answers, server, client)

    def _carry_questions(self, client: socket.socket, server: socket.socket) -> None:
        try:
            server.sendall(_message(client, kind_bytes=0))
            while True:
                message = _message(client, kind_bytes=1)
                if message[:1] in _STATEMENTS and self._before is not None:
                    self._number += 1
                    self._before(self._number)
                server.sendall(message)
        except (OSError, CutError):
            pass
        except BaseException as error:
            self.failure = error
        finally:
            _end(server)
            _end(client)


def _carry_answers(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while data := server.recv(1 << 16):
            client.sendall(data)
    _end(client)


def _message(client: socket.socket, *, kind_bytes: int) -> bytes:
    """Read one message: a kind, but for the first of a connection, then its length and the rest."""
    head = _exactly(client, kind_bytes + 4)
    (length,) = struct.unpack("!I", head[kind_bytes:])
    return head + _exactly(client, length - 4)


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
