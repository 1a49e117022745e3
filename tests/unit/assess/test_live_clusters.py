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
from harness.compare.clusters import KEYS, PAIR, find_clusters
from harness.compare.comparison import Comparison
from harness.compare.rules import RuleSet
from tests.support.events import at
from tests.support.schedules import base_seed
from tests.support.weeks import planted_week

BASE = base_seed()
_TEXT = dict.fromkeys(
    (*PAIR, "control_outcome", "candidate_outcome", "control_error_class", "control_error_text",
     "candidate_error_class", "candidate_error_text", "verdict"), pl.String,
)  # fmt: skip
_TIME = pl.Datetime("us", "UTC")
_PAIRS: dict[str, Any] = {
    **_TEXT, "created_at": _TIME, "package_size": pl.Int64, "priority": pl.Int64,
    "candidate_attempts": pl.Int64, "claimed_at": _TIME, "triggered_at": _TIME,
    "flow_started_at": _TIME, "control_finished_at": _TIME, "candidate_finished_at": _TIME,
}  # fmt: skip
_CELLS: dict[str, Any] = {
    **dict.fromkeys((*PAIR, "field", "control_raw", "candidate_raw", "control_value",
                     "candidate_value"), pl.String),
    "created_at": _TIME, "touched": pl.List(pl.String), "differs": pl.Boolean,
}  # fmt: skip
STEPS = ("fill [name='zip']", "click", "goto")


class _Hand:
    """Draws jobs whose differences have causes in what a description can tell, and noise."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.broken = self.chance.randrange(4)
        self.guarded = self.chance.choice((50, 300, None))
        self.noise = self.chance.choice((0.0, 0.05, 0.3))
        self.cells: list[dict[str, Any]] = []
        self.pairs: list[dict[str, Any]] = []

    def draw(self, jobs: Sequence[str]) -> Comparison:
        """These jobs anew; one in ten says nothing at all."""
        self.cells, self.pairs = [], []
        for job in jobs:
            if self.chance.random() < 0.9:
                self._job(job)
        return Comparison(
            pairs=pl.DataFrame(self.pairs, schema=_PAIRS),
            cells=pl.DataFrame(self.cells, schema=_CELLS),
            rules=RuleSet(version=1),
        )

    def _job(self, job: str) -> None:
        chance = self.chance
        hour = chance.randrange(4)
        created = None if chance.random() < 0.05 else at(3600 * hour + chance.randrange(3600))
        of_job = {
            "job_id": job, "created_at": created,
            "package_size": chance.choice((50, 100, 300)), "priority": chance.choice((1, 2, None)),
            "claimed_at": None, "triggered_at": None, "flow_started_at": None,
        }  # fmt: skip
        lost = chance.random() < (0.5 if hour == 1 else 0.1)
        for name in ("claimed_at", "triggered_at", "flow_started_at")[: chance.choice((0, 1, 3))]:
            of_job[name] = at(0)
        for mode in ("live", "demo")[: chance.choice((1, 1, 2))]:
            for place in chance.sample(range(6), chance.randint(1, 6)):
                self._pair({**of_job, "mode": mode, "directory": f"site-{place}.test"}, place, lost)

    def _pair(self, pair: dict[str, Any], place: int, lost: bool) -> None:
        chance = self.chance
        step = None
        if place == self.broken and chance.random() < 0.8:
            step = STEPS[0]
        elif pair["package_size"] == self.guarded and chance.random() < 0.7:
            step = STEPS[1]
        elif chance.random() < self.noise:
            step = chance.choice(STEPS)
        fails = step is not None and not lost
        finished = chance.choice((None, at(chance.randrange(9000))))
        both = fails and chance.random() < 0.2
        differs = (lost or fails) and not both
        phone = not lost and not fails and chance.random() < (0.6 if place == 5 else 0.1)
        waits = chance.random() < 0.1
        pair |= {
            "control_outcome": "failed" if both else "submitted",
            "candidate_outcome": None if lost else "failed" if fails else "submitted",
            "control_error_class": "refused" if both else None,
            "control_error_text": "no" if both else None,
            "candidate_error_class": chance.choice(("refused", "timeout")) if fails else None,
            "candidate_error_text": f"Page.{step}: no" if fails else None,
            "candidate_attempts": 0 if lost else chance.choice((0, 1)),
            "control_finished_at": finished,
            "candidate_finished_at": None if lost else finished,
            "verdict": "in_flight" if waits else "missing_candidate" if lost
            else "mismatch" if differs or both or phone else "agree",
        }  # fmt: skip
        self.pairs.append(pair)
        if waits:
            return
        self._cell(pair, "outcome", "submitted", "missing" if lost else
                   "failed" if fails else "submitted", differs)  # fmt: skip
        if both:
            self._cell(pair, "error", "refused", str(pair["candidate_error_class"]), True)
        if not lost:
            self._cell(pair, "values.phone", "1", "2" if phone else "1", phone,
                       touched=[["digits"], ["digits", "short"], []][place % 3])  # fmt: skip
            slow = chance.random() < 0.2
            self._cell(pair, "latency_s", "at most 9", "12" if slow else "1", slow)

    def _cell(
        self, pair: dict[str, Any], name: str, control: str, candidate: str, differs: bool,
        touched: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.cells.append({
            **{key: pair[key] for key in (*PAIR, "created_at")}, "field": name,
            "control_raw": control, "candidate_raw": candidate, "control_value": control,
            "candidate_value": candidate, "touched": list(touched), "differs": differs,
        })  # fmt: skip


def _without(whole: Comparison, jobs: Sequence[str]) -> Comparison:
    others = ~pl.col("job_id").is_in(jobs)
    return Comparison(
        pairs=whole.pairs.filter(others), cells=whole.cells.filter(others), rules=whole.rules
    )


def _with(whole: Comparison, more: Comparison) -> Comparison:
    return Comparison(
        pairs=pl.concat([whole.pairs, more.pairs]), cells=pl.concat([whole.cells, more.cells]),
        rules=whole.rules,
    )  # fmt: skip


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
        live.replace(jobs[first : first + 4], Comparison(
            pairs=week.pairs.filter(some), cells=week.cells.filter(some), rules=week.rules,
        ))  # fmt: skip
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
