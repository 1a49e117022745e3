"""Just enough of HTTP for a hatch: one request with a counted body, one answer, and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BODY_LIMIT = 4 * 1024 * 1024
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request with its body. Names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def to_bytes(self) -> bytes:
        """The same request, after whose answer the connection ends."""
        told = {**self.headers, "connection": "close"}
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in told.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The request of a connection; None for what is none, or has a body that is not counted."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    uncounted = "transfer-encoding" in headers or not length.isdigit()
    # Half a line end within a line would be a line of its own to another server.
    odd = any("\r" in line or "\n" in line for line in (first, *lines))
    if len(words) != 3 or odd or uncounted or int(length) > _BODY_LIMIT:
        return None
    body = await reader.readexactly(int(length))
    return Request(method=words[0], target=words[1], headers=headers, body=body)


def answer(status: int, told: Mapping[str, Any]) -> bytes:
    """An answer in JSON that ends the connection."""
    body = json.dumps(told).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
