"""Reads from a slot's packets what its processes tried to reach. Pure: opens nothing.

Who connects to another machine is told at once. A refused port of loopback is told later: it may
be one of the slot's own, whose listener was not up yet; to poll for one's own server is no escape.
So it waits until `take_refused`, and is forgotten if something in the slot answers there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_TCP, _UDP, _CONTROL, _CONTROL6 = 6, 17, 1, 58
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_ECHO, _ECHO6 = 8, 128
_NO_SUCH_PORT, _NO_SUCH_PORT6 = (3, 3), (1, 4)
_IPV6_HEADER = 40


@dataclass(frozen=True, slots=True)
class Target:
    """What was tried: ``tcp`` or ``udp`` to a port, or a ``ping``."""

    kind: str
    address: IPv4Address | IPv6Address
    port: int | None = None

    @property
    def url(self) -> str:
        """Such as ``tcp://198.51.100.7:443``."""
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.kind}://{host}" + (f":{self.port}" if self.port is not None else "")


@dataclass(frozen=True, slots=True)
class _Packet:
    protocol: int
    source: IPv4Address | IPv6Address
    target: IPv4Address | IPv6Address
    body: bytes


class PacketReader:
    """Tells targets from packets, of which it must be given each once and in order."""

    def __init__(self) -> None:
        self._refused: dict[Target, None] = {}
        self._answering: set[Target] = set()

    def read(self, data: bytes) -> Target | None:
        """A target outside the slot that this packet is sent to; None for every other packet."""
        packet = _parse(data)
        if packet is None:
            return None
        try:
            if packet.protocol == _TCP:
                return self._read_tcp(packet)
            if packet.protocol == _UDP:
                return _outside("udp", packet)
            if packet.protocol in (_CONTROL, _CONTROL6):
                return self._read_control(packet)
        except struct.error:
            # Cut short: not what any system sends.
            return None
        return None

    def take_refused(self) -> list[Target]:
        """Ports of loopback that refused since the last call and never answered."""
        taken = [target for target in self._refused if target not in self._answering]
        self._refused.clear()
        return taken

    def _read_tcp(self, packet: _Packet) -> Target | None:
        source_port, sequence = struct.unpack_from("!H2xI", packet.body)
        flags = packet.body[13] if len(packet.body) > 13 else 0
        if flags & _SYN and not flags & _ACK:
            return _outside("tcp", packet)
        if packet.source.is_loopback:
            answering = Target("tcp", packet.source, source_port)
            if flags & _SYN:
                self._answering.add(answering)
            elif flags & _RST and sequence == 0:
                # What answers a SYN where nobody listens, as RFC 9293 section 3.10.7.1 says.
                self._refused[answering] = None
        return None

    def _read_control(self, packet: _Packet) -> Target | None:
        kind = tuple(packet.body[:2])
        if kind in ((_ECHO, 0), (_ECHO6, 0)):
            return None if packet.target.is_loopback else Target("ping", packet.target)
        if kind in (_NO_SUCH_PORT, _NO_SUCH_PORT6):
            sent = _parse(packet.body[8:])
            if sent is not None and sent.protocol == _UDP and sent.target.is_loopback:
                port = struct.unpack_from("!2xH", sent.body)[0]
                self._refused[Target("udp", sent.target, port)] = None
        return None


def _outside(kind: str, packet: _Packet) -> Target | None:
    if packet.target.is_loopback or packet.target.is_unspecified:
        return None
    return Target(kind, packet.target, struct.unpack_from("!2xH", packet.body)[0])


def _parse(data: bytes) -> _Packet | None:
    """An IP packet without link header; None for anything else."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        start = (data[0] & 0x0F) * 4
        source, target = ip_address(data[12:16]), ip_address(data[16:20])
        return _Packet(data[9], source, target, data[start:])
    if version == 6 and len(data) >= _IPV6_HEADER:
        source, target = ip_address(data[8:24]), ip_address(data[24:40])
        return _Packet(data[6], source, target, data[_IPV6_HEADER:])
    return None
