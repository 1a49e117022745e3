"""What a stack's processes are told of the queue, the database and the planning service. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from replay.worker.stack.database_hatch import DatabaseHatch
from replay.worker.stack.plan_hatch import PlanHatch
from replay.worker.stack.queue_hatch import QueueHatch
from replay.worker.stack.worker import StackWorker

_NOBODYS = "sandbox"


def stack_environment(
    worker: StackWorker,
    *,
    queue_hatch: QueueHatch,
    database_hatch: DatabaseHatch,
    plan_hatch: PlanHatch,
) -> Mapping[str, str]:
    """Variables added to those of its slot, under production's names."""
    jobs, dead = (f"{queue_hatch.url}{path}" for path in queue_hatch.paths)
    address = worker.database
    password = f":{quote(address.password, safe='')}" if address.password else ""
    # What is on the loopback is the stack's own, or a hatch; a browser asks the door even so.
    near = "127.0.0.1,localhost"
    return {
        # A stack may bring a planning service of its own.
        "CREWAI_URL": plan_hatch.url,
        **worker.env,
        "SQS_QUEUE_URL": jobs,
        "SQS_DLQ_URL": dead,
        "QUEUE_PROVIDER": "sqs",
        "AWS_ENDPOINT_URL": queue_hatch.url,
        "AWS_ENDPOINT_URL_SQS": queue_hatch.url,
        "AWS_DEFAULT_ACCESS_KEY_ID": _NOBODYS,
        "AWS_DEFAULT_SECRET_ACCESS_KEY": _NOBODYS,
        "DATABASE_URL": (
            f"postgresql://{quote(address.user, safe='')}{password}"
            f"@127.0.0.1:{database_hatch.port}/{database_hatch.database}"
        ),
        "NO_PROXY": near,
        "no_proxy": near,
    }
