"""The flow that a Prefect worker runs on its machine. The only module that needs Prefect."""

from __future__ import annotations

from prefect import flow

from harness.errors import ShadowError
from replay.collector.courier import CollectorError
from replay.collector.shift import RefusedError, carry_out_unit

NAME = "shadow-replay"


class UnitError(Exception):
    """Why a unit was not carried out."""


@flow(name=NAME, retries=0, persist_result=False, validate_parameters=True)
def replay_unit(collector: str, unit: str) -> str:
    """Carry out one unit of a replay; its parameters name it and hold nothing that was recorded.

    Prefect keeps the message of what a flow raises, so it gets one line and no cause.
    """
    try:
        return f"{carry_out_unit(collector, unit)} results brought"
    except (ShadowError, CollectorError, RefusedError) as error:
        words = str(error)
    except Exception as error:
        words = f"{type(error).__name__}, of which nothing more is told here"
    raise UnitError(words)
