"""Serves the sandbox's sites to a person's browser, over plain http on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from harness.errors import EnvironmentProblem
from replay.sandbox.exchange import Hit
from replay.sandbox.exhibits import Exhibition, index_page, received_page
from replay.sandbox.server import QuietServer

_LOCAL = frozenset({"localhost", "127.0.0.1"})
_BELOW = "/at/"
_METHODS = ["GET", "HEAD", "POST"]
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How to serve."""

    port: int = 0
    """0 takes a free one."""
    plain: bool = False
    """All sites as folders of one host, for browsers that do not know ``NAME.localhost``."""
    for_s: float | None = None
    """End after so many seconds."""
    once: bool = False
    """End after the first post."""


def serve(
    exhibition: Exhibition,
    options: ServeOptions,
    *,
    stop: Event,
    on_open: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until `stop` is set or the options say so. on_open: called with the index's address.

    Raises EnvironmentProblem if the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", options.port))
    except OSError as error:
        listener.close()
        raise EnvironmentProblem(
            f"--port {options.port}: {error.strerror}. Give another, or 0 for a free one."
        ) from error
    with listener:
        asyncio.run(_serve(_App(exhibition, options), listener, options, stop, on_open))


async def _serve(
    app: _App,
    listener: socket.socket,
    options: ServeOptions,
    stop: Event,
    on_open: Callable[[str], None],
) -> None:
    app.port = listener.getsockname()[1]
    config = uvicorn.Config(
        Starlette(routes=[Route("/{path:path}", app.answer, methods=_METHODS)]),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        # Whoever waits for a site that never answers must not hold up the end.
        timeout_graceful_shutdown=1,
    )
    server = QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            await task
            raise RuntimeError("the server ended before it started")
        await asyncio.sleep(0.005)
    on_open(f"http://127.0.0.1:{app.port}/" if options.plain else f"http://localhost:{app.port}/")
    loop = asyncio.get_running_loop()
    ends_at = None if options.for_s is None else loop.time() + options.for_s
    while not stop.is_set() and not (ends_at is not None and loop.time() >= ends_at):
        if options.once and app.exhibition.received:
            # The answer to that post must arrive first; closing waits for it.
            break
        await asyncio.sleep(_LOOK_S)
    server.should_exit = True
    await task


class _App:
    """Finds the site that a request means."""

    def __init__(self, exhibition: Exhibition, options: ServeOptions) -> None:
        self.exhibition = exhibition
        self.port = 0
        self._plain = options.plain

    async def answer(self, request: Request) -> Response:
        """Show the index, what was received, or a site."""
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        path = request.scope["path"]
        key = host.removesuffix(".localhost")
        if host not in _LOCAL and key not in self.exhibition.exhibits:
            # Another name that leads here is a page elsewhere that wants to look in.
            return HTMLResponse("<h1>Not of the sandbox</h1>", status_code=403)
        if path == "/favicon.ico":
            return Response(status_code=204)
        if host not in _LOCAL:
            return await self._site(key, path, request)
        if path == "/":
            links = {key: f"/_visit/{key}" for key in self.exhibition.exhibits}
            return HTMLResponse(index_page(self.exhibition, links))
        if path == "/_received":
            return HTMLResponse(received_page(self.exhibition))
        if path.startswith("/_visit/"):
            return self._visit(path.removeprefix("/_visit/"))
        if path.startswith(_BELOW):
            key, _, rest = path.removeprefix(_BELOW).partition("/")
            if key in self.exhibition.exhibits:
                return await self._site(key, f"/{rest}", request)
        return HTMLResponse("<h1>No such page</h1>", status_code=404)

    def _visit(self, key: str) -> Response:
        if key not in self.exhibition.exhibits:
            return HTMLResponse("<h1>No such site</h1>", status_code=404)
        self.exhibition.visit(key)
        path = quote(self.exhibition.exhibits[key].path)
        below = f"{_BELOW}{key}{path}"
        return RedirectResponse(
            below if self._plain else f"http://{key}.localhost:{self.port}{path}", status_code=303
        )

    async def _site(self, key: str, path: str, request: Request) -> Response:
        hit = Hit(
            method=request.method,
            host=request.headers.get("host", ""),
            path=path,
            query=request.scope["query_string"].decode("latin-1"),
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
        )
        at = datetime.now(UTC).strftime("%H:%M:%S UTC")
        reply = self.exhibition.answer(key, hit, at=at, url=str(request.url))
        if reply is None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response(status_code=204)
        await asyncio.sleep(reply.delay_s)
        body = reply.body
        if request.scope["path"].startswith(_BELOW):
            # A form that posts to a path of its own must stay in its folder.
            body = body.replace('action="/', f'action="{_BELOW}{key}/')
        return HTMLResponse(body, status_code=reply.status, headers=dict(reply.headers))
