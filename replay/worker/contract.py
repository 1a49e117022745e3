"""What a worker under test is given and owes. Knows the vocabulary and a browser context only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from playwright.async_api import BrowserContext

from harness.model import Claim, Order, PlanStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long the worker waits for each kind of step, in milliseconds."""

    goto_ms: float = 30_000.0
    action_ms: float = 10_000.0
    idle_ms: float = 30_000.0

    def longest_s(self, plan: Sequence[PlanStep]) -> float:
        """Seconds after which a worker that is still at this plan must be stuck."""
        total_ms = 0.0
        for step in plan:
            match step.action:
                case "goto":
                    total_ms += self.goto_ms
                case "wait":
                    total_ms += self.idle_ms + 1000 * (step.seconds or 0.0)
                case _:
                    total_ms += self.action_ms
        return total_ms / 1000 + 10.0


class Worker(Protocol):
    """Carries out one order at a time in a context of its own, many at once.

    `submit` reports every failure of the site as a Claim. What it raises is taken for a crash of
    the worker and becomes an outcome too.
    """

    name: str

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        """Carry out the plan and say what happened."""
        ...
