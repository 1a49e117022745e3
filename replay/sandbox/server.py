"""The sandbox: serves every site of a run on loopback, https and http. Knows no browser.

A request is answered by the site of the visit whose door it came through; a request that came
through no door, or names a host that is not of its visit, is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from replay.sandbox.certificates import Certificates
from replay.sandbox.gateway import Door, Inside, Visitors
from replay.sandbox.layers import SealLayer
from replay.sandbox.sites import Hit
from replay.sandbox.visit import Visit

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class QuietServer(uvicorn.Server):
    """Leaves signals to whoever runs the replay."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Sandbox:
    """All sites of a run; an async context manager that serves from enter to exit."""

    def __init__(self) -> None:
        self.visitors = Visitors()
        self.nobody = Visit.of_nobody()
        """Collects what the browser tries outside every submission."""
        self._certificates = Certificates()
        self._app = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])
        self._inside: Inside | None = None
        self._servers: list[tuple[QuietServer, asyncio.Task[None]]] = []

    @property
    def spki(self) -> str:
        """Key of the authority that the browser must trust for this run."""
        return self._certificates.spki

    @property
    def authority_pem(self) -> bytes:
        """Certificate of that authority, for programs that take a file of them."""
        return self._certificates.authority_pem

    def door(self, visit: Visit, listener: socket.socket | None = None) -> Door:
        """A closed door for a visit. RuntimeError if the sandbox is not being served."""
        if self._inside is None:
            raise RuntimeError("the sandbox is not open")
        return Door(visit, self._inside, self.visitors, listener=listener)

    async def __aenter__(self) -> Sandbox:
        tls_port, plain_port = await self._serve(secure=True), await self._serve(secure=False)
        self._inside = Inside(tls_port=tls_port, plain_port=plain_port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inside = None
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in self._servers), return_exceptions=True)
        self._servers.clear()

    async def _serve(self, *, secure: bool) -> int:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            # Kept longer than any submission: a close while the browser sends is a failed post.
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
            ssl_context_factory=(
                (lambda _config, _default: self._certificates.server_context()) if secure else None
            ),
        )
        server = QuietServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        self._servers.append((server, task))
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the sandbox server ended before it started")
            await asyncio.sleep(0.005)
        port: int = listener.getsockname()[1]
        return port

    async def _answer(self, request: Request) -> Response:
        visit = self.visitors.find(request.client.port) if request.client else None
        if visit is None or visit.site is None:
            return Response(status_code=403)
        host, _, port = request.headers.get("host", "").partition(":")
        scheme = request.url.scheme
        named_port = int(port) if port.isdigit() else (443 if scheme == "https" else 80)
        if not visit.allows(host, named_port):
            # A kept connection of a plain proxy may carry requests for any host.
            visit.escape("proxy", str(request.url), SealLayer.PROXY)
            return Response(status_code=403)
        path = request.scope["path"]
        if path.startswith("http://"):
            path = "/" + path.removeprefix("http://").partition("/")[2]
        if path == "/favicon.ico":
            return Response(status_code=204)
        hit = Hit(
            method=request.method,
            host=host,
            path=path,
            query=request.scope["query_string"].decode("latin-1"),
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
        )
        reply = visit.site.answer(hit)
        visit.observation.note(hit, reply, scheme=scheme)
        if reply is None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response(status_code=204)
        await asyncio.sleep(reply.delay_s)
        return HTMLResponse(reply.body, status_code=reply.status, headers=dict(reply.headers))
