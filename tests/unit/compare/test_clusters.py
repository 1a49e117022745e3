"""Clusters: planted causes come first under their own names, and keep them while a week grows."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assessment import Cluster
from harness.compare.cluster_words import STAGES
from harness.compare.clusters import KEYS, cluster_id, find_clusters
from harness.compare.comparison import Comparison, compare, difference_id, differences
from harness.demo.catalogue import load_directories
from harness.demo.planted import load_planted
from harness.demo.week import make_week
from harness.model import Verdict
from tests.support.events import HOST, JOB, at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.scripted import compare_scripts
from tests.support.weeks import (
    BROKEN,
    GUARDED,
    JOB_IDS,
    first_jobs,
    planted_week,
    shipped_rules,
    weeks,
)


def compared(rows: list[Row], *, jobs: list[Row] | None = None, second: float = 100) -> Comparison:
    orders = jobs or [job(name, created_at=at(10 * n)) for n, name in enumerate((JOB, *JOB_IDS))]
    return compare(
        submissions_frame(rows), jobs_frame(orders), shipped_rules(),
        as_of=at(second), deadline_s=600.0,
    )  # fmt: skip


def clusters_of(*rows: Row, second: float = 100) -> tuple[Cluster, ...]:
    return find_clusters(compared(list(rows), second=second)).clusters


def lost_agreement(comparison: Comparison, mode: str) -> float:
    """One minus agreement by job, over settled pairs, by its definition."""
    shares: dict[str, list[bool]] = {}
    for row in comparison.pairs.iter_rows(named=True):
        if row["mode"] == mode and row["verdict"] not in (Verdict.IN_FLIGHT, Verdict.EXCLUDED):
            shares.setdefault(row["job_id"], []).append(row["verdict"] == Verdict.AGREE)
    return sum(1 - sum(agree) / len(agree) for agree in shares.values()) / max(1, len(shares))


def test_planted_causes_are_the_first_clusters_under_their_own_names() -> None:
    clusters = find_clusters(planted_week()).clusters
    first = [dict(cluster.description) for cluster in clusters[:3]]
    broken, guarded, lost = (
        next((terms for terms in first if all(terms.get(k) == v for k, v in wanted.items())), None)
        for wanted in (
            {"kind": "candidate_failed", "error": "selector_missing", "directory": BROKEN},
            {"kind": "captcha", "package": str(GUARDED)},
            {"kind": "missing_candidate", "stage": "not_claimed"},
        )
    )
    assert broken
    assert guarded
    assert lost
    # One word of each cause is enough, and no other word stands beside it.
    assert [len(terms) for terms in first] == [5 if "directory" in t else 4 for t in first]
    assert sum(cluster.cost_share for cluster in clusters[:3]) > 0.9


def test_the_first_three_of_the_rehearsed_week_carry_most_of_what_is_lost() -> None:
    week = make_week(directories=load_directories(), planted=load_planted())
    comparison = compare_scripts(week)
    clusters = find_clusters(comparison).clusters
    assert sum(cluster.cost_share for cluster in clusters[:3]) >= 0.7
    kinds = {"never_enqueued": "not_claimed", "lost_after_trigger": "not_started"}
    for cluster, kind in zip(clusters[:2], kinds, strict=True):
        (fault,) = (fault for fault in week.planted if fault.kind == kind)
        assert dict(cluster.description)["stage"] == kinds[kind]
        assert f"job {fault.job_id[:8]}: every directory ({cluster.size})" in cluster.title
        assert cluster.precision == 1.0
    assert clusters[2].title.startswith("Candidate sent another phone")
    told = {(d.kind, d.job_id, d.directory) for d in differences(comparison)}
    planted = {(f.kind, f.job_id, f.directory) for f in week.planted if f.found_by == "live"}
    assert {p for p in planted if p[0] in {kind for kind, _, _ in told}} <= told


def test_ids_stay_while_a_week_grows() -> None:
    kept = steps = 0
    for seed in range(4):
        whole = planted_week(80, seed=seed)
        before: set[str] = set()
        for count in range(10, 81):
            clusters = find_clusters(first_jobs(whole, count)).clusters
            if before:
                steps += 1
                kept += before <= {cluster.id for cluster in clusters}
            before = {cluster.id for cluster in clusters[:3] if cluster.size >= 5}
    assert steps > 200
    assert kept / steps >= 0.95


@settings(max_examples=25, deadline=None)
@given(rows=weeks(), seed=st.integers(0, 10**6))
def test_every_difference_is_in_one_cluster_and_costs_add_up(rows: list[Row], seed: int) -> None:
    comparison = compared(rows, second=5000)
    found = find_clusters(comparison)
    members = found.members
    told = differences(comparison, members)
    assert {difference_id(*key) for key in members.select(KEYS).iter_rows()} == {
        difference.id for difference in told
    }
    assert members.height == len(told)
    sizes = {cluster.id: cluster.size for cluster in found.clusters}
    assert len(sizes) == len(found.clusters)
    assert {d.cluster for d in told} == set(sizes)
    assert all(sum(d.cluster == name for d in told) == size for name, size in sizes.items())
    for mode in {cluster.mode for cluster in found.clusters}:
        here = [cluster for cluster in found.clusters if cluster.mode == mode]
        assert sum(c.share for c in here) == pytest.approx(1.0)
        assert sum(c.cost for c in here) == pytest.approx(lost_agreement(comparison, mode))
        assert [c.cost for c in here] == sorted((c.cost for c in here), reverse=True)
    shuffled = Comparison(
        pairs=comparison.pairs.sample(fraction=1, shuffle=True, seed=seed), rules=comparison.rules
    )
    assert find_clusters(shuffled).clusters == found.clusters


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_large_week_gives_the_same_clusters_in_any_order(seed: int) -> None:
    week = planted_week(40)
    shuffled = Comparison(
        pairs=week.pairs.sample(fraction=1, shuffle=True, seed=seed), rules=week.rules
    )
    assert find_clusters(shuffled).clusters == find_clusters(week).clusters


def test_pairs_in_any_order_behind_the_first_give_the_same_clusters() -> None:
    week = planted_week(40)
    shuffled = week.pairs[1:].sample(fraction=1, shuffle=True, seed=5)
    again = Comparison(pairs=pl.concat([week.pairs[:1], shuffled]), rules=week.rules)
    assert find_clusters(again).clusters == find_clusters(week).clusters


def test_every_difference_matches_every_term_of_its_description() -> None:
    week = planted_week()
    found = find_clusters(week)
    texts = {row["job_id"] + row["directory"]: row for row in week.pairs.iter_rows(named=True)}
    for cluster in found.clusters:
        terms = dict(cluster.description)
        for key in found.members.filter(found.members["cluster"] == cluster.id).iter_rows():
            row = texts[key[1] + key[2]]
            assert terms.get("directory", row["directory"]) == row["directory"]
            assert terms.get("package", str(row["package_size"])) == str(row["package_size"])
            assert terms.get("error", row["candidate_error_class"]) == row["candidate_error_class"]


def test_a_pair_with_two_differing_fields_costs_once() -> None:
    rows = [control(sent_zip="1", sent_phone="202-555-0142"),
            candidate(sent_zip="2", sent_phone="202-555-0199")]  # fmt: skip
    clusters = clusters_of(*rows)
    assert [cluster.cost for cluster in clusters] == [1.0, 0.0]
    assert [cluster.size for cluster in clusters] == [1, 1]


def test_what_is_only_slow_costs_nothing_and_stands_last() -> None:
    slow = {"job_id": "job-a"}
    clusters = clusters_of(
        control(**slow), candidate(duration_ms=130_000.0, **slow), control(), candidate("failed")
    )
    assert [(cluster.kind, cluster.cost) for cluster in clusters] == [
        ("candidate_failed", 0.5), ("slow", 0.0),
    ]  # fmt: skip


def test_a_directory_that_always_fails_is_named_and_the_rest_is_not() -> None:
    where = [
        {"job_id": f"j{n:02}", "directory": host} for n in range(20) for host in (HOST, "b.test")
    ]
    orders = [job(f"j{n:02}", created_at=at(10 * n)) for n in range(20)]
    rows = []
    for place in where:
        fails = place["directory"] == HOST or place["job_id"] == "j03"
        rows += [control(**place), candidate("failed" if fails else "submitted", **place)]
    clusters = find_clusters(compared(rows, jobs=orders)).clusters
    assert [dict(cluster.description).get("directory") for cluster in clusters] == [HOST, None]
    assert (clusters[0].size, clusters[0].compared, clusters[0].precision) == (20, 20, 1.0)
    assert HOST in clusters[0].title
    assert clusters[0].id == cluster_id(clusters[0].description[::-1])


def test_a_few_failures_spread_over_directories_are_one_cluster() -> None:
    rows, orders = [], []
    for n in range(40):
        place = {"job_id": f"j{n:02}", "directory": f"site-{n % 8}.test"}
        orders.append(job(f"j{n:02}", created_at=at(10 * n)))
        rows += [control(**place), candidate("failed" if n % 9 == 0 else "submitted", **place)]
    (cluster,) = find_clusters(compared(rows, jobs=orders)).clusters
    assert (cluster.size, cluster.directories) == (5, 5)
    assert dict(cluster.description).keys() == {"mode", "kind", "field", "error"}


@pytest.mark.parametrize(
    ("signs", "stage"),
    [
        ((), "not_claimed"),
        (("claimed_at",), "not_triggered"),
        (("claimed_at", "triggered_at"), "not_started"),
        (("claimed_at", "triggered_at", "flow_started_at"), "not_begun"),
    ],
)
def test_a_silent_candidate_is_described_by_how_far_it_got(
    signs: tuple[str, ...], stage: str
) -> None:
    reached = {name: at(2) if name in signs else None
               for name in ("claimed_at", "triggered_at", "flow_started_at")}  # fmt: skip
    rows = [control(directory=host) for host in ("a.test", "b.test", "c.test")]
    (cluster,) = find_clusters(compared(rows, jobs=[job(**reached)], second=5000)).clusters
    assert dict(cluster.description)["stage"] == stage
    assert STAGES[stage] in cluster.title
    assert cluster.title.endswith(f"job {JOB[:8]}: every directory (3)")


def test_a_cluster_tells_when_its_differences_happened() -> None:
    rows = [
        control(), candidate("failed", finished_at=at(70)),
        control(job_id="job-b"), candidate("failed", job_id="job-b", finished_at=at(15)),
    ]  # fmt: skip
    (cluster,) = clusters_of(*rows)
    assert (cluster.first_seen, cluster.last_seen) == (at(60), at(70))
    assert cluster.first_seen is not None
    assert cluster.first_seen.utcoffset() is not None


def test_three_examples_stand_for_a_cluster() -> None:
    rows = [side for name in (JOB, *JOB_IDS) for side in (control(job_id=name),
            candidate("failed", job_id=name))]  # fmt: skip
    comparison = compared(rows)
    (cluster,) = find_clusters(comparison).clusters
    assert cluster.examples == tuple(d.id for d in differences(comparison)[:3])


def test_nothing_differs_and_there_is_no_cluster() -> None:
    assert clusters_of(control(), candidate()) == ()
