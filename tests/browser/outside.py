"""Stands for the outside: sockets on other loopback addresses that write down who came."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType

ADDRESS = "127.0.0.2"
BARE_TCP = ("preconnect", "turn", "candidate_tcp", "worker_socket")
"""Ways that connect and ask for nothing with a name in it: a port each, so that it tells them."""
BARE_UDP = ("stun", "turn_udp", "candidate", "webtransport", "worker_webtransport")
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n"
    b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *\r\n"
    b"Access-Control-Allow-Methods: *\r\nAccess-Control-Allow-Private-Network: true\r\n\r\n"
)
_IN_OPEN = 0x20
_DNS_PORT = 53


class Outside:
    """HTTP over IPv4, IPv6 and plain loopback, bare ports, a resolver, and a file to be read.

    A context manager that listens from enter to exit. secret: a file whose opening is heard.
    """

    def __init__(self, secret: Path | None = None) -> None:
        self._places: dict[str, str] = {
            "file": f"file://{secret}" if secret else "file:///dev/null"
        }
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._came: list[str] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._http("http", socket.AF_INET, ADDRESS)
        self._http("local", socket.AF_INET, "127.0.0.1")
        self.has_ipv6 = self._tried(lambda: self._http("http6", socket.AF_INET6, "::1"))
        """Whether this machine speaks IPv6 with itself."""
        for name in BARE_TCP:
            self._add(socket.create_server((ADDRESS, 0)), name, lambda s, n=name: self._touch(s, n))
        for name in BARE_UDP:
            self._add(_bound_udp(0), name, lambda s, n=name: self._hear(s, n))
        self.has_resolver = self._tried(
            lambda: self._add(_bound_udp(_DNS_PORT), "dns", self._resolve)
        )
        """Whether it may listen where resolvers do, at `ADDRESS`."""
        if secret is not None:
            self._watch(secret)

    def aim(self, text: str) -> str:
        """`text` with addresses in place of names such as ``@http@`` or ``@stun@``."""
        return re.sub(r"@(\w+)@", lambda found: self._places.get(found[1], "[::1]:9"), text)

    @property
    def came(self) -> list[str]:
        """What came: the path of a request, the first label of a name asked for, a bare way."""
        with self._lock:
            return list(self._came)

    def way_of(self, url: str) -> str:
        """The way that was tried, of what a layer of the seal wrote down."""
        for name in (*BARE_TCP, *BARE_UDP):
            address = self._places[name]
            if address in url or address.replace(":", " ") in url:
                return name
        if url.startswith("file:"):
            return "file"
        host, _, path = url.rpartition("://")[2].partition("/")
        return path.strip("/") or host.partition(".")[0]

    def wait_for(self, ways: Collection[str], timeout_s: float = 10.0) -> bool:
        """Whether all of these came, in time."""
        return wait_until(lambda: set(self.came) >= set(ways), timeout_s)

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
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            else:
                os.close(key.fd)
        self._selector.close()

    def _add(self, listener: socket.socket, name: str, act: Callable[..., None]) -> None:
        host, port = listener.getsockname()[:2]
        self._places[name] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._selector.register(listener, selectors.EVENT_READ, act)

    def _http(self, name: str, family: socket.AddressFamily, host: str) -> None:
        self._add(socket.create_server((host, 0), family=family), name, self._accept)

    def _tried(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except OSError:
            return False
        return True

    def _watch(self, secret: Path) -> None:
        """Hear of every opening of a file, through Linux's inotify."""
        library = ctypes.CDLL(None, use_errno=True)
        handle = library.inotify_init1(os.O_NONBLOCK)
        if handle < 0 or library.inotify_add_watch(handle, os.fsencode(secret), _IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

        def heard(_: int) -> None:
            os.read(handle, 4096)
            self._note("file")

        self._selector.register(handle, selectors.EVENT_READ, heard)

    def _listen(self) -> None:
        while not self._closed.is_set():
            for key, _ in self._selector.select(0.05):
                key.data(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(2)
            head = b""
            with contextlib.suppress(TimeoutError):
                head = connection.recv(4096)
            parts = head.split(b" ")
            named = len(parts) > 2 and parts[1].startswith(b"/")
            self._note(parts[1].strip(b"/").decode() if named else f"unknown: {head[:40]!r}")
            connection.sendall(_ANSWER)

    def _touch(self, listener: socket.socket, name: str) -> None:
        listener.accept()[0].close()
        self._note(name)

    def _hear(self, listener: socket.socket, name: str) -> None:
        listener.recv(4096)
        self._note(name)

    def _resolve(self, listener: socket.socket) -> None:
        """Write down the first label of the name that is asked for; say that there is none."""
        query, sender = listener.recvfrom(4096)
        self._note(query[13 : 13 + query[12]].decode("latin-1"))
        flags = struct.pack("!H", 0x8183)
        listener.sendto(query[:2] + flags + query[4:6] + bytes(6) + query[12:], sender)

    def _note(self, what: str) -> None:
        with self._lock:
            self._came.append(what)


def wait_until(seen: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether `seen` becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _bound_udp(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((ADDRESS, port))
    except OSError:
        made.close()
        raise
    return made
