"""A site that tries every way out that it can think of, and the names of those ways."""

from __future__ import annotations

from replay.sandbox.sites import Hit, Reply
from tests.browser.outside import Outside

IN_PAGE = """
const out = 'http://@http@/', socket = 'ws://@http@/', out6 = 'http://@http6@/';
const make = (tag, attributes, parent = document.body) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
};
const tries = {
  fetch: () => { fetch(out + 'fetch', {mode: 'no-cors'}).catch(() => {}) },
  put: () => { fetch(out + 'put', {method: 'PUT', body: 'x'}).catch(() => {}) },
  keepalive: () => { fetch(out + 'keepalive', {mode: 'no-cors', keepalive: true, method: 'POST'})
    .catch(() => {}) },
  xhr: () => { const x = new XMLHttpRequest(); x.open('GET', out + 'xhr'); x.send() },
  image: () => { new Image().src = out + 'image' },
  beacon: () => { navigator.sendBeacon(out + 'beacon', 'x') },
  ping: () => {
    const a = make('a', {href: '#', ping: out + 'ping'}); a.textContent = 'x'; a.click() },
  eventsource: () => { new EventSource(out + 'eventsource') },
  websocket: () => { new WebSocket(socket + 'websocket') },
  iframe: () => { make('iframe', {src: out + 'iframe'}) },
  iframe_by_number: () => { make('iframe', {src: out.replace('127.0.0.2', '2130706434')
    + 'iframe_by_number'}) },
  loopback: () => { fetch('http://@local@/loopback', {mode: 'no-cors'}).catch(() => {}) },
  ipv6: () => { fetch(out6 + 'ipv6', {mode: 'no-cors'}).catch(() => {}) },
  ipv6_image: () => { new Image().src = out6 + 'ipv6_image' },
  ipv6_socket: () => { new WebSocket(out6.replace('http', 'ws') + 'ipv6_socket') },
  dns: () => { fetch('https://dns.outside.test/', {mode: 'no-cors'}).catch(() => {}) },
  data_frame: () => { make('iframe', {src: `data:text/html,<img src="${out}data_frame">`}) },
  blob_frame: () => { make('iframe', {src: blob(`<img src="${out}blob_frame">`, 'text/html')}) },
  srcdoc: () => { make('iframe', {srcdoc: `<img src="${out}srcdoc">`}) },
  object: () => { make('object', {data: out + 'object', type: 'text/html'}) },
  embed: () => { make('embed', {src: out + 'embed', type: 'text/html'}) },
  script: () => { make('script', {src: out + 'script'}) },
  module: () => { import(out + 'module').catch(() => {}) },
  stylesheet: () => { make('link', {rel: 'stylesheet', href: out + 'stylesheet'}) },
  worklet: () => { new AudioContext().audioWorklet.addModule(out + 'worklet').catch(() => {}) },
  svg: () => { make('div', {}).innerHTML = `<svg><image href="${out}svg" /></svg>` },
  poster: () => { make('video', {poster: out + 'poster'}) },
  input_image: () => { make('input', {type: 'image', src: out + 'input_image'}) },
  fetch_later: () => { fetchLater(out + 'fetch_later', {activateAfter: 0}) },
  css_import: () => { make('style', {}).textContent = `@import url(${out}css_import);` },
  css_image: () => { make('div', {style: `background: url(${out}css_image); height: 9px`}) },
  font: () => {
    make('style', {}).textContent = `@font-face {font-family: f; src: url(${out}font)}`;
    make('p', {style: 'font-family: f'}).textContent = 'x' },
  video: () => { make('video', {src: out + 'video', preload: 'auto'}) },
  audio: () => { make('audio', {src: out + 'audio', preload: 'auto'}) },
  prefetch: () => { make('link', {rel: 'prefetch', href: out + 'prefetch'}) },
  preload: () => { make('link', {rel: 'preload', as: 'image', href: out + 'preload'}) },
  modulepreload: () => { make('link', {rel: 'modulepreload', href: out + 'modulepreload'}) },
  preconnect: () => { make('link', {rel: 'preconnect', href: 'https://@preconnect@/'}) },
  dns_prefetch: () => { make('link', {rel: 'dns-prefetch', href: '//dns_prefetch.outside.test'}) },
  icon: () => { make('link', {rel: 'icon', href: out + 'icon'}) },
  manifest: () => { make('link', {rel: 'manifest', href: out + 'manifest'}) },
  speculation: () => {
    const rules = make('script', {type: 'speculationrules'}, document.head);
    rules.textContent = JSON.stringify(
      {prefetch: [{source: 'list', urls: [out + 'speculation'], eagerness: 'immediate'}]}) },
  popup: () => { window.open(out + 'popup') },
  popup_noopener: () => { window.open(out + 'popup_noopener', '_blank', 'noopener') },
  popup_written: () => { window.open('', '_blank').document.write(
    `<img src="${out}popup_written">`) },
  form_blank: () => {
    make('form', {method: 'post', action: out + 'form_blank', target: '_blank'}).submit() },
  form_frame: () => {
    make('iframe', {name: 'inner'});
    make('form', {method: 'post', action: out + 'form_frame', target: 'inner'}).submit() },
  worker: () => { new Worker(blob(`
    fetch('${out}worker_fetch', {mode: 'no-cors'}).catch(() => {});
    new WebSocket('ws://@worker_socket@/');
    try { importScripts('${out}worker_import') } catch {}
    try { new WebTransport('https://@worker_webtransport@/') } catch {}`)) },
  shared_worker: () => { new SharedWorker(blob(
    `fetch('${out}shared_worker', {mode: 'no-cors'}).catch(() => {})`)) },
  shared_worker_loopback: () => { new SharedWorker(blob(
    `fetch('http://@local@/shared_worker_loopback', {mode: 'no-cors'}).catch(() => {})`)) },
  service_worker: () => { navigator.serviceWorker.register('/sw.js').catch(() => {}) },
  stun: () => { peer({iceServers: [{urls: 'stun:@stun@'}]}) },
  turn: () => { peer({iceServers: [
    {urls: 'turn:@turn@?transport=tcp', username: 'u', credential: 'c'},
    {urls: ['turn:@turn_udp@?transport=udp'], username: 'u', credential: 'c'}]}) },
  candidate: async () => {
    const one = await peer({}), two = new RTCPeerConnection();
    await two.setRemoteDescription(one.localDescription);
    await two.setLocalDescription(await two.createAnswer());
    await one.setRemoteDescription(two.localDescription);
    const offer = (number, protocol, address, more) => one.addIceCandidate({sdpMid: '0', candidate:
      `candidate:${number} 1 ${protocol} 2113937151 ${address.replace(':', ' ')} typ host${more}`});
    await offer(1, 'udp', '@candidate@', '');
    await offer(2, 'tcp', '@candidate_tcp@', ' tcptype passive') },
  webtransport: () => { new WebTransport('https://@webtransport@/').ready.catch(() => {}) },
  file_frame: () => { make('iframe', {src: '@file@'}) },
  file_fetch: () => { fetch('@file@').catch(() => {}) },
  file_popup: () => { window.open('@file@') },
  data_navigation: () => {
    make('iframe', {srcdoc: `<script>top.location =
      "data:text/html,<img src='${out}data_navigation'>"<` + '/script>'}) },
};
const blob = (text, type = 'text/javascript') => URL.createObjectURL(new Blob([text], {type}));
const peer = async config => {
  const made = new RTCPeerConnection(config);
  made.createDataChannel('x');
  await made.setLocalDescription(await made.createOffer());
  return made;
};
window.addEventListener('unhandledrejection', event => event.preventDefault());
for (const attempt of Object.values(tries)) try { attempt() } catch {}
"""

NAVIGATING = {
    "form": "<form method=post action='http://@http@/form'></form><script>document.forms[0].submit()</script>",
    "location": "<script>location = 'http://@http@/location'</script>",
    "refresh": "<meta http-equiv=refresh content='0; url=http://@http@/refresh'>",
    "download": "<a download href='http://@http@/download'>x</a><script>document.links[0].click()</script>",
    "unload": "<script>addEventListener('pagehide', () => navigator.sendBeacon('http://@http@/unload'));"
    "location = '/empty'</script>",
}
"""Ways out that need the whole page, by the path of the page that tries them."""

REDIRECTING = {
    "redirect": "http://@http@/redirect",
    "redirect_loopback": "http://@local@/redirect_loopback",
}
"""Ways out that need no page: where a path sends who asks for it."""

RECORDED_AS = {
    "fetch": {"fetch", "put", "keepalive", "xhr", "worker_fetch", "loopback", "ipv6", "dns"},
    "beacon": {"beacon", "ping"},
    "image": {
        "image", "css_image", "svg", "poster", "input_image", "preload", "srcdoc", "data_frame",
        "blob_frame", "ipv6_image",
    },
    "stylesheet": {"stylesheet", "css_import"},
    "font": {"font"},
    "media": {"video", "audio"},
    "script": {"script", "module", "modulepreload"},
    "eventsource": {"eventsource"},
    "other": {"prefetch", "report", "worker_import"},
    "iframe": {"iframe", "iframe_by_number", "object", "embed"},
    "form": {"form", "form_frame"},
    "popup": {"popup", "popup_noopener", "form_blank"},
    "navigation": {"location", "refresh", "download"},
    "websocket": {"websocket", "ipv6_socket"},
    "webrtc": {"stun", "turn", "turn_udp", "candidate", "candidate_tcp"},
    "webtransport": {"webtransport"},
    "proxy": {
        "redirect", "redirect_loopback", "unload", "fetch_later", "worklet", "shared_worker",
        "shared_worker_loopback", "worker_socket",
    },
}  # fmt: skip
"""Every way out by the kind that the sealed browser's attempts are recorded as. The names are what
the outside hears where nothing stops them."""

UNREPORTED = {
    "speculation": "switched off in the sealed browser",
    "service_worker": "none is registered, so that it sends nothing",
    "popup_written": "held back for ever: Playwright waits for the news of it in the wrong page",
    "worker_webtransport": "dropped inside the browser, which has no way for it through a proxy",
}
"""Ways that are stopped before any layer could see them tried, and why."""

WAYS = frozenset(UNREPORTED).union(*RECORDED_AS.values())

HINTS = {"preconnect", "dns_prefetch"}
"""Ways that only a full Chromium takes; the headless shell does nothing for such a hint."""

FORBIDDEN = {"file_frame", "file_fetch", "file_popup", "data_navigation"}
"""Ways that no page has in any Chromium: nothing comes of them in the open either."""


def ways_at(outside: Outside) -> frozenset[str]:
    """The ways that lead to this outside: it may have no IPv6, and may not listen as a resolver."""
    absent = set() if outside.has_ipv6 else {way for way in WAYS if way.startswith("ipv6")}
    return WAYS - absent - (set() if outside.has_resolver else {"dns"})


_SERVICE_WORKER = "fetch('http://@http@/service_worker', {mode: 'no-cors'}).catch(() => {})"
_REPORTING = {
    "Content-Security-Policy-Report-Only": "object-src 'none'; report-uri http://@http@/report"
}


class HostileSite:
    """Answers every path with a page that tries to leave; ``/`` tries most ways at once."""

    paths = ("/", *(f"/{name}" for name in (*NAVIGATING, *REDIRECTING)))

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def answer(self, hit: Hit) -> Reply:
        """The page at the path that was asked for."""
        name = hit.path.strip("/")
        if name == "sw.js":
            script = {"Content-Type": "text/javascript"}
            return Reply(body=self._aimed(_SERVICE_WORKER), headers=script)
        if name in REDIRECTING:
            location = self._aimed(REDIRECTING[name])
            return Reply(body="", status=302, headers={"Location": location})
        if name == "empty":
            return Reply(body="")
        if name in NAVIGATING:
            return Reply(body=self._aimed(f"<!doctype html>{NAVIGATING[name]}"))
        headers = {key: self._aimed(value) for key, value in _REPORTING.items()}
        page = f"<!doctype html><body><script>{IN_PAGE}</script>"
        return Reply(body=self._aimed(page), headers=headers)

    def _aimed(self, text: str) -> str:
        return self._outside.aim(text)
