"""A site that stores each listing once and says so when it comes again."""

from __future__ import annotations

from replay.sandbox.archetypes.base import Archetype, FormSite, Stage
from replay.sandbox.archetypes.plain import FIVE
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply
from replay.sandbox.pages import reply_after


class DuplicateSite(FormSite):
    """Knows what it has stored."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stored: list[dict[str, str]] = []

    def receive(self, hit: Hit) -> Reply:
        """Store the values if they are new."""
        if hit.values in self._stored:
            return reply_after(Condition.DUPLICATE)
        reply = self.judge(hit.values)
        if reply.accepts:
            self._stored.append(hit.values)
        return reply


DUPLICATE_LISTING = Archetype(
    name="duplicate_listing",
    title="Stores a listing once; what it has already it refuses",
    make=DuplicateSite,
    fields=FIVE,
    conditions=(Condition.ACCEPTED, Condition.DUPLICATE),
)
