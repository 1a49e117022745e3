"""A PostgreSQL and an SQS of a test's own for replayed stacks, and whatever is left in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from harness.demo.postgres import EmbeddedPostgres
from harness.demo.sqs import LocalSqs
from harness.resources import sql_text
from harness.settings import StackSettings
from replay.worker.choose import make_replay_worker
from replay.worker.stack.worker import StackWorker
from tests.support.foreign import WORKERS

STACK_FOLDER = WORKERS / "stack"
LISTING_STACK = f"sqs:{sys.executable} -m listing_stack.consumer"
HURRIED = {
    "STEP_NAP_S": "0.05", "RATE_UNIT_MS": "50", "GOTO_TIMEOUT_MS": "6000",
    "ACTION_TIMEOUT_MS": "3000",
}  # fmt: skip
"""The stack's own settings, so that a test need not wait as long as production."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where stacks get their copies and their queues."""

    sqs: LocalSqs
    admin_dsn: str
    dsn: str
    """Of a role that owns a database with the stack's tables, and may do nothing else."""

    def worker(
        self, spec: str = LISTING_STACK, *, folder: Path = STACK_FOLDER, **options: Any
    ) -> StackWorker:
        """A worker that has its copies and its queues here. options: settings of ``[stack]``."""
        usual = {
            "endpoint_url": self.sqs.endpoint_url, "env": HURRIED, "deadline": 60.0,
            # These tests also run where no namespaces are allowed.
            "run_unsealed": True,
        }  # fmt: skip
        settings = StackSettings(**usual | options)
        made = make_replay_worker(
            spec, settings, folder=folder, environ={"SHADOW_STACK_DSN": self.dsn}
        )
        assert isinstance(made, StackWorker)
        return made

    def databases(self) -> set[str]:
        """Names of all databases."""
        with psycopg.connect(self.admin_dsn) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    def queues(self) -> set[str]:
        """Addresses of all queues but the server's own two."""
        urls = self.sqs.client.list_queues().get("QueueUrls", [])
        return set(urls) - {self.sqs.queue_url, self.sqs.dlq_url}

    def rows(self) -> int:
        """Rows of jobs and history in the database that is copied."""
        with psycopg.connect(self.dsn) as connection:
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM queue_history)"
            ).fetchone()
        return int(counts[0]) if counts else 0


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Both servers, for as long as the block."""
    with EmbeddedPostgres() as postgres, LocalSqs() as sqs:
        with psycopg.connect(postgres.dsn, autocommit=True) as admin:
            admin.execute("CREATE ROLE stack LOGIN CREATEDB")
            admin.execute("CREATE DATABASE stack OWNER stack")
        dsn = make_conninfo(postgres.dsn, user="stack", dbname="stack")
        with psycopg.connect(dsn) as owner:
            for path in ("010_live.sql", "020_migrated.sql"):
                owner.execute(sql_text(f"postgres/schema/{path}").encode())
        yield Servers(sqs=sqs, admin_dsn=postgres.dsn, dsn=dsn)
