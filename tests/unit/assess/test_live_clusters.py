"""Clusters kept up to date are those that a search of everything finds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from harness.assess.live import decision_list
from harness.assess.live.clusters import LiveClusters
from harness.compare.clusters import KEYS, find_clusters
from harness.compare.comparison import Comparison, compare
from tests.support.events import at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.schedules import base_seed
from tests.support.weeks import planted_week, shipped_rules

BASE = base_seed()
KINDS = {"odd": ("site-1.test", "site-3.test"), "last": ("site-5.*",)}
RULES = shipped_rules().model_copy(update={"archetype": KINDS})
STEPS = ("fill [name='zip']", "click", "goto")


class _Hand:
    """Draws jobs whose differences have causes in what a description can tell, and noise."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.broken = self.chance.randrange(4)
        self.guarded = self.chance.choice((50, 300, None))
        self.noise = self.chance.choice((0.0, 0.05, 0.3))
        self.rows: list[Row] = []
        self.jobs: list[Row] = []

    def draw(self, jobs: Sequence[str]) -> Comparison:
        """These jobs anew; one in ten says nothing at all."""
        self.rows, self.jobs = [], []
        for name in jobs:
            if self.chance.random() < 0.9:
                self._job(name)
        return compare(
            submissions_frame(self.rows), jobs_frame(self.jobs), RULES,
            as_of=at(30_000), deadline_s=600.0,
        )  # fmt: skip

    def _job(self, name: str) -> None:
        chance = self.chance
        hour = chance.randrange(4)
        lost = chance.random() < (0.5 if hour == 1 else 0.1)
        signs: Row = dict.fromkeys(("claimed_at", "triggered_at", "flow_started_at"))
        for sign in list(signs)[: chance.choice((0, 1, 3))]:
            signs[sign] = at(0)
        # One job in twenty waits: it was created a moment ago.
        waits = chance.random() < 0.05
        created = at(29_900) if waits else at(3600 * hour + chance.randrange(3600))
        if chance.random() > 0.05:
            self.jobs.append(
                job(
                    name, created_at=created, package_size=chance.choice((50, 100, 300)),
                    priority=chance.choice((1, 2, None)), **signs,
                )
            )  # fmt: skip
        package = self.jobs[-1]["package_size"] if self.jobs else None
        replayed = chance.random() < 0.33
        for place in chance.sample(range(6), chance.randint(1, 6)):
            where = {"job_id": name, "directory": f"site-{place}.test"}
            finished = chance.choice((None, at(chance.randrange(9000))))
            both = chance.random() < 0.05
            self.rows.append(
                control(
                    "failed" if both else "submitted", finished_at=finished,
                    sent_phone="(202) 555-0142", **where,
                )
            )  # fmt: skip
            for mode in ("live", "demo")[: 2 if replayed else 1]:
                if not lost or mode != "live":
                    self.rows.append(self._candidate(place, package, finished, mode, where))

    def _candidate(
        self, place: int, package: int | None, finished: object, mode: str, where: Row
    ) -> Row:
        chance = self.chance
        step = None
        if place == self.broken and chance.random() < 0.8:
            step = STEPS[0]
        elif package == self.guarded and chance.random() < 0.7:
            step = STEPS[1]
        elif chance.random() < self.noise:
            step = chance.choice(STEPS)
        told: Row = {}
        if step is not None:
            error = chance.choice(("refused", "timeout", "selector_missing"))
            told = {"error_class": error, "error_text": f"Page.{step}: no"}
        digits = chance.random() < (0.6 if place == 5 else 0.1)
        phone = "202-555-0199" if digits else chance.choice(("+12025550142", "202-555-0142"))
        return candidate(
            "failed" if step else "submitted", mode=mode, finished_at=finished, sent_phone=phone,
            duration_ms=chance.choice((900.0, 900.0, 900_000.0)), attempts=chance.choice((0, 1)),
            **told, **where,
        )  # fmt: skip


def _without(whole: Comparison, jobs: Sequence[str]) -> Comparison:
    others = ~pl.col("job_id").is_in(list(jobs))
    return Comparison(pairs=whole.pairs.filter(others), rules=whole.rules)


def _with(whole: Comparison, more: Comparison) -> Comparison:
    return Comparison(pairs=pl.concat([whole.pairs, more.pairs]), rules=whole.rules)


def _assert_whole(live: LiveClusters, whole: Comparison, told: str) -> None:
    found = find_clusters(whole)
    assert live.clusters() == found.clusters, told
    members = live.members()
    assert sorted(members.iter_rows()) == sorted(found.members.iter_rows()), told
    assert members.select(KEYS).is_unique().all()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a decision list held, and how often it was searched again."""
    counts: Counter[str] = Counter()
    check = decision_list.DecisionList.check

    def counting(self: decision_list.DecisionList, *given: Any) -> list[decision_list.Row]:
        counts["described"] += any(best for best, _ in self.described())
        again = check(self, *given)
        counts["again" if again else "held"] += 1
        return again

    monkeypatch.setattr(decision_list.DecisionList, "check", counting)
    return counts


@pytest.mark.parametrize("part", range(4))
def test_after_every_change_the_clusters_are_those_of_the_whole(
    part: int, asked: Counter[str]
) -> None:
    for seed in range(BASE + 5 * part, BASE + 5 * part + 5):
        hand, live = _Hand(seed), LiveClusters()
        names = [f"job-{number:03}" for number in range(120)]
        whole = hand.draw(names[: hand.chance.choice((0, 10, 60))])
        live.replace((), whole)
        _assert_whole(live, whole, f"SHADOW_TEST_SEED={BASE}, {seed}")
        for number in range(12):
            jobs = hand.chance.sample(names, hand.chance.choice((1, 1, 5, 20)))
            new = hand.draw(jobs)
            whole = _with(_without(whole, jobs), new)
            live.replace(jobs, new)
            if hand.chance.random() < 0.8:
                _assert_whole(live, whole, f"SHADOW_TEST_SEED={BASE}, {seed}: {number}")
    assert min(asked[word] for word in ("described", "again", "held")) > 10, asked


def test_a_week_that_grows_job_by_job_seldom_needs_a_new_search(asked: Counter[str]) -> None:
    week = planted_week(120)
    jobs = week.pairs.sort("created_at")["job_id"].unique(maintain_order=True).to_list()
    live = LiveClusters()
    for first in range(0, 120, 4):
        some = pl.col("job_id").is_in(jobs[first : first + 4])
        live.replace(
            jobs[first : first + 4],
            Comparison(pairs=week.pairs.filter(some), rules=week.rules),
        )
        live.clusters()
    _assert_whole(live, week, "the whole week")
    assert asked["held"] > 5 * asked["again"], asked


def test_what_was_found_is_kept_until_something_changes() -> None:
    week = planted_week(40)
    live = LiveClusters()
    live.replace((), week)
    assert live.clusters() is live.clusters()


def test_times_are_told_in_utc() -> None:
    hand = _Hand(BASE)
    whole = hand.draw([f"job-{number}" for number in range(30)])
    live = LiveClusters()
    live.replace((), whole)
    seen = [cluster.last_seen for cluster in live.clusters() if cluster.last_seen]
    assert seen
    assert all(moment.utcoffset() == timedelta(0) for moment in seen)
