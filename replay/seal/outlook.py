"""Gives a slot's network an outside that refuses everything at once and is seen doing so.

Run inside the slot's network namespace by its keeper, so nothing but the standard library. Every
address is made one of the slot's own: what is sent anywhere arrives on its loopback, where nobody
listens, and is refused. A packet socket sees each attempt; it is handed to the replay, which reads
it with `replay.seal.packets`.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct

_LOOPBACK = 1
"""Index of the loopback in every network namespace."""
_NEWROUTE, _REQUEST, _ACK, _CREATE = 24, 0x1, 0x4, 0x400
_TABLE_LOCAL, _BY_BOOT, _SCOPE_HOST, _LOCAL = 255, 3, 254, 2
_OUTGOING_INTERFACE = 4
_ANY_PROTOCOL = 0x0003
_ATTACH_FILTER = 26

_LOAD, _LOAD_AT_X, _HEADER_TO_X = 0x30, 0x50, 0xB1
_EQUAL, _ANY_BIT, _AND, _RETURN = 0x15, 0x45, 0x54, 0x06
_TCP, _SYN_OR_RST = 6, 0x06
_FILTER = (
    # code, how many to skip if true, if false, constant
    (_LOAD, 0, 0, 0),
    (_AND, 0, 0, 0xF0),
    (_EQUAL, 0, 5, 0x40),
    (_LOAD, 0, 0, 9),
    (_EQUAL, 0, 7, _TCP),
    (_HEADER_TO_X, 0, 0, 0),
    (_LOAD_AT_X, 0, 0, 13),
    (_ANY_BIT, 4, 5, _SYN_OR_RST),
    (_LOAD, 0, 0, 6),
    (_EQUAL, 0, 2, _TCP),
    (_LOAD, 0, 0, 53),
    (_ANY_BIT, 0, 1, _SYN_OR_RST),
    (_RETURN, 0, 0, 256),
    (_RETURN, 0, 0, 0),
)
"""All but what flows on open connections, which would be every byte that a browser loads."""


def open_outlook() -> socket.socket | None:
    """Make every address the slot's own; return what sees the attempts to reach one.

    None where this kernel has no packet sockets or no such routes: then the outside is still out
    of reach, and nobody sees who tried.
    """
    try:
        for family in (socket.AF_INET, socket.AF_INET6):
            _lead_inside(family)
        watcher = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    except OSError:
        return None
    try:
        _attach(watcher)
        # Only now does it get packets, so that none passes the filter.
        watcher.bind(("lo", _ANY_PROTOCOL))
    except OSError:
        watcher.close()
        return None
    return watcher


def _lead_inside(family: int) -> None:
    """What ``ip route add local default dev lo`` does. A machine may be without IPv6."""
    route = struct.pack(
        "=8BI", family, 0, 0, 0, _TABLE_LOCAL, _BY_BOOT, _SCOPE_HOST, _LOCAL, 0
    ) + struct.pack("=HHI", 8, _OUTGOING_INTERFACE, _LOOPBACK)
    head = struct.pack("=IHHII", 16 + len(route), _NEWROUTE, _REQUEST | _ACK | _CREATE, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.bind((0, 0))
        link.send(head + route)
        code = -struct.unpack_from("=i", link.recv(4096), 16)[0]
    if code and family == socket.AF_INET:
        raise OSError(code, os.strerror(code))


def _attach(watcher: socket.socket) -> None:
    program = b"".join(struct.pack("=HBBI", *one) for one in _FILTER)
    held = ctypes.create_string_buffer(program)
    watcher.setsockopt(
        socket.SOL_SOCKET,
        _ATTACH_FILTER,
        struct.pack("@HP", len(_FILTER), ctypes.addressof(held)),
    )
