"""What a slot's packets tell: targets outside at once, refused ports of loopback afterwards."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from replay.seal.packets import PacketReader, Target

SYN, SYN_ACK, RST_ACK, ACK = 0x02, 0x12, 0x14, 0x10
HERE, HERE6 = ip_address("127.0.0.1"), ip_address("::1")
Address = IPv4Address | IPv6Address
ports = st.integers(1, 65535)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
outside = addresses.filter(lambda one: not one.is_loopback and not one.is_unspecified)


def packet(source: Address, target: Address, protocol: int, body: bytes) -> bytes:
    if target.version == 4:
        head = struct.pack("!BBHIBBH", 0x46, 0, 24 + len(body), 0, 64, protocol, 0)
        # With an option, so that the header is longer than the usual 20 bytes.
        return head + source.packed + target.packed + b"\1\1\1\0" + body
    head = struct.pack("!IHBB", 0x60000000, len(body), protocol, 64)
    return head + source.packed + target.packed + body


def tcp(
    source: Address, target: Address, flags: int, *, at: int, to: int, sequence: int = 7
) -> bytes:
    body = struct.pack("!HHIIBBHHH", at, to, sequence, 0, 0x50, flags, 0, 0, 0)
    return packet(source, target, 6, body)


def udp(source: Address, target: Address, port: int) -> bytes:
    return packet(source, target, 17, struct.pack("!HHHH", 5000, port, 8, 0))


def like(address: Address) -> Address:
    """Loopback of the same family."""
    return HERE if address.version == 4 else HERE6


@given(outside, ports)
def test_a_connection_to_another_machine_is_a_target_once(address: Address, port: int) -> None:
    reader = PacketReader()
    asked = tcp(like(address), address, SYN, at=4000, to=port)
    refused = tcp(address, like(address), RST_ACK, at=port, to=4000, sequence=0)
    assert reader.read(asked) == Target("tcp", address, port)
    assert reader.read(refused) is None
    assert reader.take_refused() == []


@given(outside, ports)
def test_a_datagram_and_a_ping_to_another_machine_are_targets(address: Address, port: int) -> None:
    reader = PacketReader()
    assert reader.read(udp(like(address), address, port)) == Target("udp", address, port)
    protocol, kind = (1, 8) if address.version == 4 else (58, 128)
    ping = packet(like(address), address, protocol, bytes([kind, 0, 0, 0]))
    assert reader.read(ping) == Target("ping", address)


@given(st.sampled_from([HERE, HERE6]), ports)
def test_a_port_of_loopback_is_told_if_it_refused_and_never_answered(
    here: Address, port: int
) -> None:
    refused = tcp(here, here, RST_ACK, at=port, to=4000, sequence=0)
    answers = tcp(here, here, SYN_ACK, at=port, to=4000)
    reader = PacketReader()
    for one in (tcp(here, here, SYN, at=4000, to=port), refused, refused):
        assert reader.read(one) is None
    assert reader.take_refused() == [Target("tcp", here, port)]
    assert reader.take_refused() == []
    for one in (refused, answers):
        reader.read(one)
    assert reader.take_refused() == []


def test_a_connection_that_is_broken_off_is_no_refusal() -> None:
    reader = PacketReader()
    reader.read(tcp(HERE, HERE, RST_ACK, at=5432, to=4000, sequence=99))
    assert reader.take_refused() == []


def test_a_datagram_to_a_closed_port_of_loopback_is_told() -> None:
    for here, protocol, words in ((HERE, 1, b"\3\3"), (HERE6, 58, b"\1\4")):
        reader = PacketReader()
        sent = udp(here, here, 8125)
        assert reader.read(sent) is None
        reader.read(packet(here, here, protocol, words + b"\0" * 6 + sent))
        assert reader.take_refused() == [Target("udp", here, 8125)]


@given(st.binary(max_size=120))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    reader = PacketReader()
    reader.read(data)
    reader.take_refused()


def test_a_target_is_written_as_an_address() -> None:
    assert Target("tcp", ip_address("198.51.100.7"), 443).url == "tcp://198.51.100.7:443"
    assert Target("udp", ip_address("2001:db8::1"), 53).url == "udp://[2001:db8::1]:53"
    assert Target("ping", ip_address("198.51.100.7")).url == "ping://198.51.100.7"
