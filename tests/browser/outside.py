"""Stands for the outside: sockets on a second loopback address that write down who came."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

ADDRESS = "127.0.0.2"
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n"
    b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *\r\n"
    b"Access-Control-Allow-Methods: *\r\nAccess-Control-Allow-Private-Network: true\r\n\r\n"
)


def _is_stun(data: bytes) -> bool:
    return data[4:8] == b"\x21\x12\xa4\x42"


class Outside:
    """Two TCP ports and a UDP port; a context manager that listens from enter to exit."""

    def __init__(self) -> None:
        self._tcp = socket.create_server((ADDRESS, 0))
        self._spare = socket.create_server((ADDRESS, 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((ADDRESS, 0))
        self._lock = threading.Lock()
        self._came: list[str] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def tcp(self) -> str:
        """Address and port for http, https and ws."""
        return f"{ADDRESS}:{self._tcp.getsockname()[1]}"

    @property
    def spare(self) -> str:
        """Another one, for connections that ask for nothing."""
        return f"{ADDRESS}:{self._spare.getsockname()[1]}"

    @property
    def udp(self) -> str:
        """Address and port for STUN and QUIC."""
        return f"{ADDRESS}:{self._udp.getsockname()[1]}"

    @property
    def came(self) -> list[str]:
        """What came: the path of a request, ``preconnect``, ``turn``, ``stun`` or ``quic``."""
        with self._lock:
            return list(self._came)

    def wait_for(self, seen: Callable[[list[str]], bool], timeout_s: float = 10.0) -> bool:
        """Whether `seen` becomes true of what came, in time."""
        deadline = time.monotonic() + timeout_s
        while not seen(self.came):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def __enter__(self) -> Outside:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()
        self._tcp.close()
        self._spare.close()
        self._udp.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._tcp, selectors.EVENT_READ)
            selector.register(self._spare, selectors.EVENT_READ)
            selector.register(self._udp, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in selector.select(0.05):
                    if key.fileobj is self._udp:
                        self._note("stun" if _is_stun(self._udp.recv(4096)) else "quic")
                    elif key.fileobj is self._spare:
                        self._spare.accept()[0].close()
                        self._note("preconnect")
                    else:
                        connection, _ = self._tcp.accept()
                        threading.Thread(
                            target=self._serve, args=(connection,), daemon=True
                        ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(2)
            head = b""
            with contextlib.suppress(TimeoutError):
                head = connection.recv(4096)
            parts = head.split(b" ")
            if _is_stun(head):
                self._note("turn")
            elif len(parts) > 2 and parts[1].startswith(b"/"):
                self._note(parts[1].strip(b"/").decode())
            else:
                self._note("unknown")
            connection.sendall(_ANSWER)

    def _note(self, what: str) -> None:
        with self._lock:
            self._came.append(what)
