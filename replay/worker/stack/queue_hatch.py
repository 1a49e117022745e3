"""The hatch to the queues of a stack: calls of SQS for just these two, and no other service."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from replay.sandbox.gateway import SIGNED
from replay.sandbox.piping import pipe_both
from replay.worker.stack.addresses import QueueEndpoint
from replay.worker.stack.hatch import Hatch, Refuse
from replay.worker.stack.http import Request, answer, read_request

RECEIVE = "ReceiveMessage"
_CALLS = frozenset({
    RECEIVE, "SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch",
    "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "GetQueueAttributes", "GetQueueUrl",
})  # fmt: skip
"""What a consumer and a producer need; none of them makes, empties or lists queues."""
_TARGET = "AmazonSQS."
_QUEUE_KEYS = ("QueueUrl", "QueueName")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of SQS: a call, and the last part of the queue's address.

    Empty where it names none, or more than one.
    """

    call: str
    queue: str


def asked_of(request: Request) -> Asked | None:
    """Read either of SQS's protocols, JSON or the older query; None for what is neither."""
    parts = urlsplit(request.target)
    told = [parse_qs(parts.query, keep_blank_values=True)]
    target = request.headers.get("x-amz-target")
    if target is None:
        told.append(parse_qs(request.body.decode("latin-1"), keep_blank_values=True))
    elif not target.startswith(_TARGET) or (body := _object_of(request.body)) is None:
        return None
    else:
        told.append({key: [str(body[key])] for key in _QUEUE_KEYS if body.get(key) is not None})
        told.append({"Action": [target.removeprefix(_TARGET)]})
    # A server takes whichever it likes of two, so they must be one.
    calls = {call for one in told for call in one.get("Action", ())}
    named = {_last_part(name) for one in told for key in _QUEUE_KEYS for name in one.get(key, ())}
    named |= {_last_part(parts.path)} - {""}
    if not calls:
        return None
    return Asked(*("".join(one) if len(one) == 1 else "" for one in (calls, named)))


class QueueHatch(Hatch):
    """See the module. `asked` is set once a message was asked for."""

    def __init__(self, listener: socket.socket, refuse: Refuse, endpoint: QueueEndpoint) -> None:
        super().__init__(listener, refuse)
        self.paths: tuple[str, ...] = ()
        """Paths of the queues that it leads to."""
        self.asked = asyncio.Event()
        self._endpoint = endpoint

    def lead_to(self, paths: tuple[str, ...]) -> None:
        """Lead to these queues from now on."""
        self.paths = paths
        self.asked.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one call on, or refuse it."""
        request = await read_request(reader)
        asked = asked_of(request) if request else None
        if request is None or asked is None or not self._allows(asked):
            self._refuse("aws", _address_of(request, asked))
            message = "This call is not of this run's queues"
            writer.write(answer(403, {"__type": "AccessDeniedException", "message": message}))
            await writer.drain()
            return
        if asked.call == RECEIVE:
            self.asked.set()
        far = await asyncio.open_connection(self._endpoint.host, self._endpoint.port)
        far[1].write(request.to_bytes())
        with contextlib.suppress(OSError):
            await pipe_both(reader, writer, *far)

    def _allows(self, asked: Asked) -> bool:
        names = {_last_part(path) for path in self.paths}
        return asked.call in _CALLS and asked.queue in names


def _object_of(body: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _last_part(address: str) -> str:
    return urlsplit(address).path.rstrip("/").rpartition("/")[2]


def _address_of(request: Request | None, asked: Asked | None) -> str:
    if asked is not None:
        return f"aws://sqs/{asked.call}/{asked.queue}"
    if request is None:
        return "aws://unknown"
    signed = SIGNED.search(f"\r\nauthorization: {request.headers.get('authorization')}".encode())
    if signed is None:
        return f"aws://unknown{request.target}"
    region, service = (part.decode("latin-1") for part in signed.groups())
    return f"aws://{service}.{region}{request.target}"
