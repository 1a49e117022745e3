"""What a worker's code can reach where a layer of the slot is missing. Pure: data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from replay.seal.isolation import SlotLayer

OPEN_WITHOUT: Mapping[SlotLayer, tuple[str, ...]] = MappingProxyType(
    {
        SlotLayer.NETWORK: (
            "raw_socket", "raw_socket_ipv6", "loopback_database", "abstract_socket", "udp",
            "dns_query", "by_urllib_without_proxy", "by_curl_without_proxy", "metadata",
        ),
        SlotLayer.FILES: ("unix_database",),
        SlotLayer.WRITES: ("write_beside", "other_device", "kernel_setting"),
        SlotLayer.PROCESSES: ("other_process", "kill_process"),
    }
)  # fmt: skip
"""Ways out, by their names in docs/seal.md, that lead somewhere where this layer is missing. The
environment, the door and the browser's wrapper need nothing of the machine and are always there."""


def ways_in_words(ways: Collection[str]) -> str:
    """These names as a person reads them."""
    return ", ".join(way.replace("_", " ") for way in ways)


def not_sealed_without(missing: Collection[SlotLayer]) -> tuple[str, ...]:
    """The ways that are open where these layers are missing."""
    return tuple(
        way for layer in SlotLayer if layer in missing for way in OPEN_WITHOUT.get(layer, ())
    )
