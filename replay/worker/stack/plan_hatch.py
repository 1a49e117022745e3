"""The hatch to a stack's planning service: it gives the plan that production's gave."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from harness.model import Order
from replay.worker.stack.hatch import Hatch, Refuse
from replay.worker.stack.http import Request, answer, read_request

_CONSTRAINTS = {"rateLimitMs": 1500, "captcha": "possible"}
"""The same for every plan of the company's service."""


def plan_answer(order: Order, directory: str) -> dict[str, Any]:
    """What the service answers of an order; directory: as it was asked for."""
    return {
        "plan": [asdict(step) for step in order.plan],
        "constraints": _CONSTRAINTS,
        "idempotency_factors": {"name": order.business.get("name", ""), "dir": directory},
    }


class PlanHatch(Hatch):
    """``POST /plan`` and ``GET /health``, for the order in hand."""

    def __init__(self, listener: socket.socket, refuse: Refuse) -> None:
        super().__init__(listener, refuse)
        self.order: Order | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        request = await read_request(reader)
        status, told = self._answer(request) if request else (400, {"detail": "no request"})
        writer.write(answer(status, told))
        await writer.drain()

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        path = urlsplit(request.target).path
        if (request.method, path) == ("GET", "/health"):
            return 200, {"status": "healthy"}
        if (request.method, path) != ("POST", "/plan"):
            return 404, {"detail": "Not Found"}
        try:
            directory = str(json.loads(request.body)["directory"])
        except (ValueError, KeyError, TypeError):
            return 400, {"detail": "directory is missing"}
        address = directory if "//" in directory else f"//{directory}"
        host = (urlsplit(address).hostname or "").removeprefix("www.")
        if self.order is None or host != self.order.directory:
            return 404, {"detail": f"no plan for {directory}"}
        return 200, plan_answer(self.order, directory)
