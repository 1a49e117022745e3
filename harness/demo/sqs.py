"""Starts and ends the rehearsal's own SQS endpoint with the two production queues.

Knows nothing of weeks or actors. The endpoint is moto's, on a loopback port; credentials are
invented and given to the client explicitly, so no profile or environment of the user is read.
"""

from __future__ import annotations

import json
import socket
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import EnvironmentProblem

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from werkzeug.serving import BaseWSGIServer

REGION = "us-east-1"
JOBS_QUEUE = "directorybolt-jobs"
DEAD_LETTER_QUEUE = "directorybolt-dlq"
ACCESS_KEY = "rehearsal"
SECRET_KEY = "rehearsal"


class LocalSqs:
    """An SQS endpoint that lives as long as the ``with`` block; one per process.

    port: 0 takes any free port. A port in use raises EnvironmentProblem.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: Thread | None = None
        self._client: SQSClient | None = None
        self.endpoint_url = ""
        self.queue_url = ""
        self.dlq_url = ""

    @property
    def client(self) -> SQSClient:
        """A client for the endpoint; may be shared by threads."""
        if self._client is None:
            raise RuntimeError("the SQS endpoint is used outside its with block")
        return self._client

    def __enter__(self) -> Self:
        self._serve(self._bind())
        try:
            self._client = make_client(self.endpoint_url)
            self._create_queues(self._client)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _bind(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
            listener.listen()
        except OSError as error:
            listener.close()
            raise EnvironmentProblem(
                f"The SQS endpoint cannot listen on 127.0.0.1:{self._port}: {error.strerror}. "
                "Free the port or choose another one (0 takes any free one)."
            ) from error
        return listener

    def _serve(self, listener: socket.socket) -> None:
        # moto's own ThreadedMotoServer opens the port itself, and on a busy one its thread ends
        # the interpreter's way (sys.exit) while start() waits for ever. So we hand a bound
        # socket to the same application.
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        class QuietHandler(MotoRequestHandler):  # type: ignore[misc, unused-ignore]
            def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
                """Say nothing: the terminal belongs to the rehearsal."""

        with listener:
            host, port = listener.getsockname()
            self._server = make_server(
                host,
                port,
                DomainDispatcherApplication(create_backend_app),
                threaded=True,
                request_handler=QuietHandler,
                fd=listener.fileno(),
            )
        self.endpoint_url = f"http://{host}:{port}"
        self._thread = Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="local-sqs",
            daemon=True,
        )
        self._thread.start()

    def _create_queues(self, client: SQSClient) -> None:
        """Both queues with the settings that the company's script gives them."""
        self.dlq_url = client.create_queue(
            QueueName=DEAD_LETTER_QUEUE, Attributes={"MessageRetentionPeriod": "1209600"}
        )["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=self.dlq_url, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        self.queue_url = client.create_queue(
            QueueName=JOBS_QUEUE,
            Attributes={
                "VisibilityTimeout": "300",
                "MessageRetentionPeriod": "345600",
                "ReceiveMessageWaitTimeSeconds": "20",
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}),
            },
        )["QueueUrl"]

    def _stop(self) -> None:
        if self._client is not None:
            # moto keeps its queues in the process, so the next endpoint would find our messages.
            for url in (self.queue_url, self.dlq_url):
                if url:
                    try:
                        self._client.delete_queue(QueueUrl=url)
                    except (BotoCoreError, ClientError):
                        continue
            self._client.close()
            self._client = None
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None


def make_client(endpoint_url: str) -> SQSClient:
    """Return a client for a local endpoint, with invented credentials and no proxy."""
    return boto3.client(
        "sqs",
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(
            proxies={},
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 2, "mode": "standard"},
        ),
    )
