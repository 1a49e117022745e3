"""The second pass: what differs is carried out once more, with evidence on.

The sandbox answers the same both times. What ends otherwise therefore differs by chance, and is
flaky; what ends the same has its evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from replay.events import Ended
from replay.evidence.capture import Capture
from replay.evidence.recorded import recorded_page
from replay.evidence.store import EvidenceStore
from replay.sandbox.sites import SiteMaker
from replay.select import Replayable
from replay.selection import Pair
from replay.submission import Finished


def worth_repeating(
    ended: Iterable[Ended], *, known: Iterable[Pair], places: Mapping[Pair, int], most: int
) -> tuple[Pair, ...]:
    """Which of those that differ to carry out once more, at most `most` of the whole run.

    known: what was repeated before. places: the place of each in the run. First those that timed
    out on a starved machine; then so that many directories are seen, each in the order of the run.
    """
    done = set(known)
    turns: Counter[str] = Counter()
    ranked = []
    for one in sorted(
        (one for one in ended if one.differs and one.key in places),
        key=lambda one: (not one.overloaded, places[one.key]),
    ):
        turns[one.directory] += 1
        ranked.append(((not one.overloaded, turns[one.directory], places[one.key]), one.key))
    chosen = [key for _, key in sorted(ranked) if key not in done]
    return tuple(chosen[: max(0, most - len(done))])


class EvidenceKeeper:
    """Gives each submission of a second pass its capture, and files what came of it."""

    def __init__(
        self, store: EvidenceStore, *, run: str, site_for: SiteMaker, most_bytes: int
    ) -> None:
        self._store = store
        self._run = run
        self._site_for = site_for
        self._most_bytes = most_bytes
        store.clear_incomplete(run)
        self.kept = 0

    def capture(self, submission: Replayable) -> Capture:
        """What watches this submission."""
        order, condition = submission.order, submission.condition
        return Capture(
            self._store.make(self._run, order.job_id, order.directory),
            recorded=recorded_page(order, condition, self._site_for(order, condition)),
        )

    def file(self, done: Finished, first: Ended, *, flaky: bool) -> bool:
        """Complete the evidence of a submission; whether it has more than claim and observation.

        A worker that brings its own browser leaves nothing else.
        """
        order, seen = done.of.order, done.visit.observation
        folder = self._store.folder_of(self._run, order.job_id, order.directory)
        if not folder.is_dir():
            folder = self._store.make(self._run, order.job_id, order.directory)
        watched = any(folder.iterdir())
        facts: dict[str, Any] = {
            "run": self._run,
            "job_id": order.job_id,
            "directory": order.directory,
            "made_at": datetime.now(UTC).isoformat(),
            "condition": done.of.condition,
            "flaky": flaky,
            "first": {
                "claimed": first.claimed,
                "error_text": first.error_text,
                "accepted": first.accepted,
            },
            "claimed": asdict(done.claim),
            "observed": asdict(seen),
            "plan": [asdict(step) for step in order.plan],
        }
        self._store.complete(folder, facts)
        self.kept += 1
        return watched

    def bound(self) -> int:
        """Keep to the size, at the end of a pass; how many older ones that dropped."""
        return self._store.bound(self._most_bytes)
