"""Seals a browser into the sandbox, in layers that do not rely on each other.

1. resolver: the browser resolves no name and no address but 127.0.0.1, so nothing can go direct;
2. proxy: every context speaks through its own door, which leads to its site only; what the browser
   does outside contexts goes to a door that leads nowhere. Loopback is not exempt;
3. routes: requests that are not of the site are aborted in the context, before they have a socket;
4. sockets: the same for WebSockets;
5. service workers are not registered (their requests would pass the routes);
6. WebRTC may send no UDP of its own, and is given no servers.

Layers 3, 4 and 6 also know *how* a page tried to leave; what they miss, a door records as "proxy".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Collection
from typing import Literal, TypedDict

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    ProxySettings,
    Request,
    Route,
    ViewportSize,
    WebSocketRoute,
)
from playwright.async_api import Error as PlaywrightError

from replay.sandbox.layers import ALL_LAYERS, SealLayer
from replay.sandbox.visit import Visit


class ContextOptions(TypedDict, total=False):
    """What ``Browser.new_context`` is given."""

    proxy: ProxySettings
    service_workers: Literal["block"]
    accept_downloads: bool
    viewport: ViewportSize


_LOCAL_SCHEMES = "data:|blob:|about:|javascript:|chrome-error:"
_MARK = "shadow-seal\u2063"

# Reports what WebRTC and WebTransport would connect to, and takes the servers away. The switch of
# launch_args is what stops the UDP; without this script it would stop it silently.
_WEBRTC_SCRIPT = """(() => {
  const tell = (kind, url) => console.debug(MARK, kind, String(url));
  const emptied = (config) => {
    for (const server of config?.iceServers ?? [])
      for (const url of [server.urls ?? server.url ?? []].flat()) tell('webrtc', url);
    return config ? { ...config, iceServers: [] } : config;
  };
  const Peer = globalThis.RTCPeerConnection;
  if (Peer) {
    const set = Peer.prototype.setConfiguration;
    Peer.prototype.setConfiguration = function (config) {
      return set.call(this, emptied(config));
    };
    const add = Peer.prototype.addIceCandidate;
    Peer.prototype.addIceCandidate = function (candidate, ...rest) {
      if (candidate?.candidate) tell('webrtc', candidate.candidate);
      return add.call(this, candidate, ...rest);
    };
    const Sealed = new Proxy(Peer, {
      construct: (target, [config, ...rest], as) =>
        Reflect.construct(target, [emptied(config), ...rest], as),
    });
    globalThis.RTCPeerConnection = Sealed;
    if (globalThis.webkitRTCPeerConnection) globalThis.webkitRTCPeerConnection = Sealed;
  }
  if (globalThis.WebTransport) {
    globalThis.WebTransport = new Proxy(globalThis.WebTransport, {
      construct(target, [url, ...rest]) {
        tell('webtransport', url);
        throw new DOMException('Not of the sandbox', 'NetworkError');
      },
    });
  }
})();""".replace("MARK", repr(_MARK))

_KINDS = {
    "xhr": "fetch",
    "ping": "beacon",
    "cspviolationreport": "report",
    "document": "navigation",
}


_SWITCHES = {
    # EXCLUDE is needed for the doors themselves, which listen on 127.0.0.1; literal addresses such
    # as 127.0.0.2 are names to these rules and are not found either.
    SealLayer.RESOLVER: (
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--disable-quic",
        "--dns-prefetch-disable",
    ),
    SealLayer.WEBRTC: (
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    ),
}


def launch_args(*, spki: str, layers: Collection[SealLayer] = ALL_LAYERS) -> list[str]:
    """Switches that put the browser's own of these layers on, and trust in the sandbox alone.

    spki: the key of the sandbox's authority, as Chromium's switch wants it.
    """
    switches = [switch for layer in _SWITCHES if layer in layers for switch in _SWITCHES[layer]]
    return [*switches, f"--ignore-certificate-errors-spki-list={spki}"]


def context_options(door: str, *, layers: Collection[SealLayer] = ALL_LAYERS) -> ContextOptions:
    """Options of a context that put these layers on it, and the screen that production has.

    The bypass list is given here because an environment variable would empty Playwright's own.
    """
    options: ContextOptions = {
        "accept_downloads": False,
        "viewport": {"width": 1920, "height": 1080},
    }
    if SealLayer.PROXY in layers:
        options["proxy"] = {"server": door, "bypass": "<-loopback>"}
    if SealLayer.SERVICE_WORKERS in layers:
        options["service_workers"] = "block"
    return options


async def guard(
    context: BrowserContext, visit: Visit, *, layers: Collection[SealLayer] = ALL_LAYERS
) -> None:
    """Put those of these layers on a context that are not of its options."""
    hosts = "|".join(sorted({re.escape(host) for host, _ in visit.authorities})) or "(?!)"
    put_on: list[Awaitable[object]] = []
    if SealLayer.ROUTES in layers:
        inside = f"{_LOCAL_SCHEMES}|https?://(?:{hosts})(?::\\d+)?(?:[/?#]|$)"
        # A pattern, not a predicate: it is matched in the driver, so the site's own requests cost
        # no round trip to Python.
        pattern = re.compile(f"^(?!{inside})", re.IGNORECASE)
        put_on.append(context.route(pattern, _Aborter(visit)))
    if SealLayer.SOCKETS in layers:
        sockets = re.compile(f"^(?!wss?://(?:{hosts})(?::\\d+)?(?:[/?#]|$))", re.IGNORECASE)
        put_on.append(context.route_web_socket(sockets, lambda socket: _close(visit, socket)))
    if SealLayer.WEBRTC in layers:
        context.on("console", lambda message: _listen(visit, message))
        put_on.append(context.add_init_script(_WEBRTC_SCRIPT))
    # Together, for the time that each takes is that of asking the browser.
    await asyncio.gather(*put_on)


class _Aborter:
    """Aborts a request and records how it was tried."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def __call__(self, route: Route) -> None:
        self._visit.escape(_kind_of(route.request), route.request.url, SealLayer.ROUTES)
        try:
            # Not "aborted": a page whose form is aborted while it loads never ends loading.
            await route.abort("blockedbyclient")
        except PlaywrightError:
            # The page or context was closed meanwhile: the request went with it.
            return


def _kind_of(request: Request) -> str:
    kind = _KINDS.get(request.resource_type, request.resource_type)
    if kind != "navigation":
        return kind
    try:
        inner = request.frame.parent_frame is not None
    except PlaywrightError:
        # The first request of a popup comes before its page is known to us.
        return "popup"
    if request.method == "POST":
        return "form"
    return "iframe" if inner else "navigation"


async def _close(visit: Visit, socket: WebSocketRoute) -> None:
    visit.escape("websocket", socket.url, SealLayer.SOCKETS)
    await socket.close(code=1008, reason="Not of the sandbox")


def is_mark(message: ConsoleMessage) -> bool:
    """Whether a line of the console is the seal's own and not the page's."""
    return message.type == "debug" and message.text.startswith(_MARK)


def _listen(visit: Visit, message: ConsoleMessage) -> None:
    if is_mark(message):
        _, kind, url = [*message.text.split(" ", 2), "", ""][:3]
        visit.escape(kind, url, SealLayer.WEBRTC)
