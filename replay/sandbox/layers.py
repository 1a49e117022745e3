"""The layers around a page, and what each of them alone stops. Pure: no browser, no network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType


class SealLayer(StrEnum):
    """What stands between a page and the outside."""

    RESOLVER = "resolver"
    """The browser resolves no name and no address but 127.0.0.1."""
    PROXY = "proxy"
    """Every connection goes to the door of its submission, which leads to its site only."""
    ROUTES = "routes"
    """A request that is not of the site is aborted before it has a socket."""
    SOCKETS = "sockets"
    """The same for WebSockets."""
    SERVICE_WORKERS = "service workers"
    """None is registered: their requests would pass the routes."""
    WEBRTC = "webrtc"
    """WebRTC and WebTransport get no servers and send no UDP of their own."""


ALL_LAYERS = frozenset(SealLayer)

STOPS_ALONE: Mapping[SealLayer, tuple[str, ...]] = MappingProxyType(
    {
        SealLayer.RESOLVER: (),
        SealLayer.PROXY: ("redirect_loopback", "shared_worker_loopback"),
        SealLayer.ROUTES: (),
        SealLayer.SOCKETS: (),
        SealLayer.SERVICE_WORKERS: (),
        SealLayer.WEBRTC: ("candidate", "stun", "turn_udp"),
    }
)


"""Ways out, by their names in docs/seal.md, that lead outside where just this layer is missing.

One that stops none alone is doubled by others: it holds where they fail, or tells how it was tried.
"""


def not_sealed_without(missing: Collection[SealLayer]) -> tuple[str, ...]:
    """The ways that are open where these layers are missing and all others are on."""
    return tuple(way for layer in SealLayer if layer in missing for way in STOPS_ALONE[layer])
