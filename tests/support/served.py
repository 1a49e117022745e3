"""Shows the dashboard in a browser, as textual-serve does: Textual's own web driver and a terminal.

One process of the dashboard for a page. The terminal is the xterm.js that Playwright brings.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import playwright
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

COLUMNS, ROWS = 120, 36
READY = b"__GANGLION__\n"
VIEWER = Path(playwright.__file__).parent / "driver" / "package" / "lib" / "vite" / "traceViewer"
PAGE = """<!doctype html><meta charset="utf-8"><title>dashboard</title>
<link rel="stylesheet" href="/xterm/%(css)s"><div id="terminal"></div>
<script type="module">
import xterm from "/xterm/assets/%(module)s";
const terminal = new xterm.Terminal({cols: %(columns)d, rows: %(rows)d, allowProposedApi: true});
terminal.open(document.getElementById("terminal"));
const socket = new WebSocket(`ws://${location.host}/socket`);
socket.binaryType = "arraybuffer";
socket.onmessage = (event) => terminal.write(new Uint8Array(event.data));
socket.onclose = () => { document.title = "closed"; };
terminal.onData((data) => socket.send(data));
terminal.onBinary((data) => socket.send(data));
window.shown = () => Array.from({length: %(rows)d}, (_, y) =>
  terminal.buffer.active.getLine(y)?.translateToString(true) ?? "").join("\\n");
terminal.focus();
</script>"""


@contextmanager
def served(arguments: Sequence[str], *, environ: dict[str, str]) -> Iterator[str]:
    """The address of a page that shows ``shadow ARGUMENTS``; the server ends with the block."""
    (module,) = (VIEWER / "assets").glob("xtermModule-*.js")
    (css,) = VIEWER.glob("xtermModule*.css")
    page = PAGE % {"module": module.name, "css": css.name, "columns": COLUMNS, "rows": ROWS}

    async def index(_: Request) -> HTMLResponse:
        return HTMLResponse(page)

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await _relay(websocket, arguments, environ)

    app = Starlette(
        routes=[
            Route("/", index),
            WebSocketRoute("/socket", socket),
            Mount("/xterm", StaticFiles(directory=VIEWER)),
        ]
    )
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="error", ws="websockets-sansio", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server does not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


async def _relay(websocket: WebSocket, arguments: Sequence[str], environ: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "harness.cli", *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            **environ,
            "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
            "TEXTUAL_COLOR_SYSTEM": "truecolor",
            "COLUMNS": str(COLUMNS),
            "ROWS": str(ROWS),
        },
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    painting = asyncio.create_task(_paint(process.stdout, websocket))
    try:
        while True:
            typed = asyncio.create_task(websocket.receive_text())
            await asyncio.wait({typed, painting}, return_when=asyncio.FIRST_COMPLETED)
            if not typed.done():
                typed.cancel()
                await websocket.close()
                return
            process.stdin.write(_packet(b"D", typed.result().encode()))
            await process.stdin.drain()
    except WebSocketDisconnect:
        pass
    finally:
        with suppress(ConnectionError):
            process.stdin.write(_packet(b"M", json.dumps({"type": "quit"}).encode()))
            await process.stdin.drain()
        await process.wait()
        await painting


async def _paint(stdout: asyncio.StreamReader, websocket: WebSocket) -> None:
    while await stdout.readline() not in (READY, b""):
        pass
    with suppress(asyncio.IncompleteReadError, RuntimeError, WebSocketDisconnect):
        while True:
            kind = await stdout.readexactly(1)
            payload = await stdout.readexactly(int.from_bytes(await stdout.readexactly(4), "big"))
            if kind == b"D":
                await websocket.send_bytes(payload)


def _packet(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload
