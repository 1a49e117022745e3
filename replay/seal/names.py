"""Hears what names are asked for inside a slot, and answers that there is no such name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

_HEADER = 12
_NO_SUCH_NAME = b"\x81\x83"
"""An answer, recursion wanted and had, code 3."""


class NameListener(asyncio.DatagramProtocol):
    """A name server that knows no name. heard: called with each name that is asked for."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, end = read_question(data)
        if name is None:
            return
        self._heard(name)
        assert self._transport is not None
        answer = data[:2] + _NO_SUCH_NAME + b"\0\1" + b"\0" * 6 + data[_HEADER:end]
        self._transport.sendto(answer, addr)


def read_question(query: bytes) -> tuple[str | None, int]:
    """The name of a DNS query's first question, and where that question ends.

    None for what is no query.
    """
    labels, at = [], _HEADER
    while at < len(query) and (length := query[at]):
        if length > 63 or at + length >= len(query):
            return None, 0
        labels.append(query[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    end = at + 5
    if len(query) < end or query[2] & 0x80:
        return None, 0
    return ".".join(labels).lower(), end
