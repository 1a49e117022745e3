"""A real HTTP server on loopback that takes messages and answers, or fails, as a test plans."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/services/T0SECRET/B0SECRET/hunter2"
"""What makes the address a secret."""
SECRETS = ("T0SECRET", "B0SECRET", "hunter2")
Answer = Callable[["_Handler"], None]


@dataclass
class Receiver:
    """What it has got, and how it answers: one of `answers` a request, then 200."""

    url: str = ""
    answers: deque[Answer] = field(default_factory=deque)
    got: list[dict[str, Any]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    """When each request came, on the monotonic clock."""
    paths: list[str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    """Bodies that were answered with 200."""


def status(code: int, **headers: str) -> Answer:
    """Answer with this status; ``Retry_After`` is the header Retry-After."""

    def answer(handler: _Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def raw(text: bytes) -> Answer:
    """Answer with these very bytes."""

    def answer(handler: _Handler) -> None:
        handler.wfile.write(text)
        handler.close_connection = True

    return answer


def drop(handler: _Handler) -> None:
    """Reset the connection instead of answering."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def silent(seconds: float) -> Answer:
    """Say nothing for so long, then answer."""

    def answer(handler: _Handler) -> None:
        time.sleep(seconds)
        status(200)(handler)

    return answer


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        receiver.at.append(time.monotonic())
        receiver.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        receiver.got.append(body)
        if receiver.answers:
            answer = receiver.answers.popleft()
        else:
            receiver.taken.append(body)
            answer = status(200)
        try:
            answer(self)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing: the tests look at what our own side says."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a test broke on purpose is no error."""


@contextmanager
def receiving(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve on a free port of loopback for as long as the block runs."""
    receiver = Receiver(answers=deque(answers))
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    server = _Server(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme, port = ("https" if tls else "http"), server.server_address[1]
    receiver.url = f"{scheme}://{'localhost' if tls else '127.0.0.1'}:{port}{PATH}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def unused_url() -> str:
    """An address of loopback at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}{PATH}"
