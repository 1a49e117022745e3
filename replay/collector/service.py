"""Serves the units of a run to its machines and takes their reports, over HTTP.

Two questions, each a POST of JSON: ``/open`` asks for a unit, ``/report`` brings results and is a
sign of life. Whoever does not know the token learns nothing, not even whether a unit exists.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.errors import EnvironmentProblem
from replay.collector.book import Book, GoneError
from replay.collector.pool import PoolConfig, is_allowed
from replay.collector.version import code_version
from replay.collector.wire import (
    Go,
    Opening,
    Report,
    Terms,
    Unit,
    UnreadableError,
    decode,
    encode,
)
from replay.sandbox.server import QuietServer
from replay.sandbox.visit import Visit
from replay.submission import Finished

MOST_BYTES = 64 * 2**20
_Answer = Callable[[Request], Awaitable[Response]]


class Collector:
    """The service of one run; an async context manager that serves from enter to exit.

    on_joined: a machine has opened its place; called with its name and the facts of the place, for
    each unit. on_finished: the first result of a submission. on_abandoned: a visit without outcome
    that tried to leave. on_refused: a machine cannot carry out a unit, with its reason. on_ended: a
    machine is through with a unit. All are called in the event loop's thread; what they raise ends
    up in `failure`.
    """

    def __init__(
        self,
        config: PoolConfig,
        terms: Terms,
        book: Book,
        *,
        on_joined: Callable[[str, Mapping[str, Any]], None],
        on_finished: Callable[[Finished], None],
        on_abandoned: Callable[[Visit], None],
        on_refused: Callable[[str, str], None],
        on_ended: Callable[[str], None],
    ) -> None:
        self.go = Go.ON
        """What every machine is told."""
        self.url = ""
        """Where machines reach it, once it is open."""
        self.failure: Exception | None = None
        """What a callback raised; the run cannot go on."""
        self._config = config
        self._terms = terms
        self._book = book
        self._on_joined = on_joined
        self._on_finished = on_finished
        self._on_abandoned = on_abandoned
        self._on_refused = on_refused
        self._on_ended = on_ended
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Collector:
        listener = _listener(self._config)
        self.url = self._config.url_at(listener.getsockname()[1])
        app = Starlette(
            routes=[
                Route(path, self._guarded(answer), methods=["POST"])
                for path, answer in (("/open", self._open), ("/report", self._report))
            ]
        )
        self._server = QuietServer(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                ws="none",
                http="h11",
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
            )
        )
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("the collector ended before it started")
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task

    def _guarded(self, answer: _Answer) -> _Answer:
        """Answer only who knows the token, and before that read nothing."""

        async def guarded(request: Request) -> Response:
            if not is_allowed(request.headers.get("authorization"), self._config.token):
                return _said(HTTPStatus.UNAUTHORIZED, "the token is not that of this run")
            try:
                return await answer(request)
            except UnreadableError as error:
                return _said(HTTPStatus.BAD_REQUEST, str(error))
            except GoneError:
                return _said(HTTPStatus.GONE, "the unit is not handed out (any more)")

        return guarded

    async def _open(self, request: Request) -> Response:
        told = decode(Opening, await _body(request))
        ours = code_version()
        if told.version != ours:
            words = (
                f"{told.machine} has version {told.version} of the harness, this run needs {ours}. "
                "Install the same there."
            )
            if told.unit in self._book.handouts:
                self._call(self._on_refused, told.unit, words)
            return _said(HTTPStatus.CONFLICT, words)
        if self.go is not Go.ON:
            raise GoneError(told.unit)
        left = self._book.take(told.unit, told.machine, now_s=time.monotonic())
        unit = Unit(unit=told.unit, terms=self._terms, submissions=left)
        return Response(encode(unit), media_type="application/json")

    async def _report(self, request: Request) -> Response:
        told = decode(Report, await _body(request))
        try:
            machine = self._book.hear(told.unit, told.in_hand, now_s=time.monotonic())
        except GoneError:
            machine = None
        if machine is not None and told.facts is not None:
            self._call(self._on_joined, machine, told.facts)
        # What is finished is finished, even if its machine was held to be dead meanwhile.
        for result in told.results:
            if (of := self._book.result(result.key)) is not None:
                self._call(self._on_finished, result.finished(of))
        if told.escapes:
            visit = Visit.of_nobody()
            visit.escapes += told.escapes
            self._call(self._on_abandoned, visit)
        if machine is None:
            return _go(Go.GONE)
        if told.refused is not None:
            self._call(self._on_refused, told.unit, f"{machine}: {told.refused}")
        elif told.ended:
            self._call(self._on_ended, told.unit)
        return _go(self.go if self.failure is None else Go.STOP)

    def _call(self, function: Callable[..., None], *given: Any) -> None:
        try:
            function(*given)
        except Exception as error:
            self.failure = self.failure or error


async def _body(request: Request) -> bytes:
    """All of it, if it is not too long."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise UnreadableError(f"more than {MOST_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _go(go: Go) -> Response:
    return Response(json.dumps({"go": go}), media_type="application/json")


def _said(status: int, words: str) -> Response:
    return Response(json.dumps({"error": words}), status, media_type="application/json")


def _listener(config: PoolConfig) -> socket.socket:
    """The socket on which to serve. EnvironmentProblem if it cannot be had."""
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM
        )
        listener = socket.socket(family, kind)
    except OSError as error:
        raise _unusable(config, error) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _unusable(config, error) from error
    return listener


def _unusable(config: PoolConfig, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"collector = {config.host}:{config.port}: {error.strerror}. "
        "Give an address of this machine and a free port."
    )
