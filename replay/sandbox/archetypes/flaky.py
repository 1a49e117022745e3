"""A site that fails now and then, by seed: the same visit always meets the same trouble."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from replay.sandbox.archetypes.base import Archetype, FormSite, Stage
from replay.sandbox.archetypes.plain import FIVE
from replay.sandbox.exchange import Hit, Reply
from replay.sandbox.forms import HEAD

SLOW_S = 2.0
UNAVAILABLE = f"{HEAD}<main><h1>Service unavailable</h1><p>Try again later.</p></main>"


class Trouble(StrEnum):
    """What one visit to a flaky site is like."""

    NONE = "none"
    """As any other site: four visits in ten."""
    FIRST = "first request fails"
    """503, then as any other site: two in ten."""
    DOWN = "down"
    """503 for the whole visit: two in ten."""
    SLOW = "slow"
    """Every answer takes `SLOW_S`: two in ten."""


_SHARES = ((Trouble.NONE, 4), (Trouble.FIRST, 2), (Trouble.DOWN, 2), (Trouble.SLOW, 2))


def trouble_of(stage: Stage) -> Trouble:
    """What this visit is like; the same for the same seed, job, directory and attempt."""
    key = f"{stage.seed}:{stage.job_id}:{stage.directory}:{stage.attempt}"
    drawn = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") % 10
    for trouble, share in _SHARES:
        if drawn < share:
            return trouble
        drawn -= share
    raise AssertionError("the shares are ten")


class FlakySite(FormSite):
    """Counts the requests of its visit."""

    def __init__(self, stage: Stage, trouble: Trouble | None = None) -> None:
        super().__init__(stage)
        self.trouble = trouble or trouble_of(stage)
        self._requests = 0

    def answer(self, hit: Hit) -> Reply | None:
        """Fail, or answer as the condition says."""
        self._requests += 1
        if self.trouble is Trouble.DOWN or (self.trouble is Trouble.FIRST and self._requests == 1):
            return Reply(body=UNAVAILABLE, status=503, headers={"Retry-After": "1"})
        reply = super().answer(hit)
        if reply is None or self.trouble is not Trouble.SLOW:
            return reply
        return Reply(
            body=reply.body,
            status=reply.status,
            headers=reply.headers,
            accepts=reply.accepts,
            delay_s=SLOW_S,
        )


FLAKY = Archetype(
    name="flaky",
    title="Unavailable or slow now and then, the same for the same seed and visit",
    make=FlakySite,
    fields=FIVE,
)
