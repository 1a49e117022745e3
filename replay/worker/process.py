"""Workers that are programs of their own: how one is started, what it is told and what it answers.

A program is given one order a line, as JSON, and answers one result a line. It may go on or exit
after each. Pure: builds and reads lines; `replay/seal/` runs the program.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.model import Claim, Order, Outcome

_ENDS = frozenset({Outcome.SUBMITTED, Outcome.FAILED, Outcome.SKIPPED})


class UnusableAnswerError(ValueError):
    """An answer from which no claim can be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessWorker:
    """A program that carries out orders, one at a time."""

    name: str
    """As it was asked for, such as ``python:module:function``; part of a run's provenance."""
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to what its slot gives it."""
    folder: Path
    """The worker's own; where its packages are looked for."""
    starts_in_folder: bool
    """Its working directory; else one of the slot's."""
    talk: tuple[int, int] = (0, 1)
    """Descriptors on which it reads orders and answers."""
    greets: bool = False
    """Its first line says whether it is ready."""
    fast_sleeps: bool = False
    manifests: tuple[Path, ...] = ()
    """``browsers.json`` of each Playwright that it may use."""


def order_line(order: Order) -> bytes:
    """The line that an order is: job_id, directory, plan and business."""
    told = {
        "job_id": order.job_id,
        "directory": order.directory,
        "plan": [asdict(step) for step in order.plan],
        "business": dict(order.business),
    }
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def read_answer(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None for what is none, such as a print of the worker."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def check_answer(result: Mapping[str, Any], order: Order) -> None:
    """Raise UnusableAnswerError if a result that names its job or directory names others.

    A program that answers one order twice would be one answer behind from then on.
    """
    for name, asked in (("job_id", order.job_id), ("directory", order.directory)):
        told = result.get(name)
        if told is not None and told != asked:
            raise UnusableAnswerError(f"{name} = {_short(told)} is of another order")


def claim_of(result: Mapping[str, Any], *, elapsed_ms: float) -> Claim:
    """What a result claims.

    Read are the words of the company's worker: status (submitted, failed, skipped), duration_ms,
    error_message, listing_url and response_log with final_url, steps_executed and error; also this
    project's own: error_text, error_step, final_url, steps_done. What is missing is left open;
    elapsed_ms stands in for the duration. Raises UnusableAnswerError.
    """
    status = result.get("status")
    if not isinstance(status, str) or status.lower() not in _ENDS:
        words = ", ".join(sorted(_ENDS))
        raise UnusableAnswerError(f"status = {_short(status)} is none of {words}")
    log = result.get("response_log")
    log = log if isinstance(log, Mapping) else {}
    steps = log.get("steps_executed", result.get("steps_done"))
    return Claim(
        status=Outcome(status.lower()),
        duration_ms=_duration(result.get("duration_ms"), elapsed_ms),
        error_text=_text(
            result.get("error_message"), result.get("error_text"), log.get("error"),
            result.get("error"),
        ),
        error_step=_text(result.get("error_step")),
        final_url=_text(
            log.get("final_url"), result.get("final_url"), result.get("listing_url")
        ),
        steps_done=len(steps) if isinstance(steps, list) else _count(steps),
    )  # fmt: skip


def _duration(told: Any, elapsed_ms: float) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float):
        return round(elapsed_ms, 1)
    return float(told) if math.isfinite(told) and told >= 0 else round(elapsed_ms, 1)


def _count(told: Any) -> int:
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else 0


def _text(*told: Any) -> str | None:
    """The first that says something."""
    return next((str(one) for one in told if one not in (None, "")), None)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
