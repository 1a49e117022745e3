"""A rule works where its scope says and nowhere else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from harness.compare.clusters import find_clusters
from harness.compare.comparison import Comparison, compare, compare_again, differences
from harness.compare.contradictions import overlap
from harness.compare.explain import explain
from harness.compare.rules import RuleSet, parse_rules
from harness.errors import SettingsError
from tests.support.events import at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.rules import make_rule

ARCHETYPES = {"login_wall": ("forum-*.example", "club.example"), "plain": ("*.example",)}
HOSTS = ("forum-a.example", "forum-b.example", "club.example", "list.example", "other.test")
JOBS = {"before": 0, "first": 100, "second": 200}
DEPLOYED: tuple[tuple[datetime, str], ...] = ((at(50), "2.0"), (at(150), "2.1"))


def _rules(**scope: Any) -> RuleSet:
    rule = make_rule("casefold", field="values.name", **scope)
    return RuleSet(version=1, archetype=ARCHETYPES, rule=(rule,))


def _compared(rules: RuleSet) -> Comparison:
    """Every candidate writes the name in capitals."""
    rows: list[Row] = []
    for name in JOBS:
        for host in HOSTS:
            key = {"job_id": name, "directory": host, "unit": f"{name}/{host}"}
            rows += [
                control(sent_name="maple", **key),
                candidate(sent_name="MAPLE", **key),
            ]
    jobs = [job(name, created_at=at(second)) for name, second in JOBS.items()]
    return compare(
        submissions_frame(rows), jobs_frame(jobs), rules,
        as_of=at(9000), deadline_s=600.0, deployments=DEPLOYED,
    )  # fmt: skip


def _absorbed(comparison: Comparison) -> set[tuple[str, str]]:
    left = {(one.job_id, one.directory) for one in differences(comparison)}
    return {(name, host) for name in JOBS for host in HOSTS} - left


@pytest.mark.parametrize(
    ("scope", "hosts", "jobs"),
    [
        ({}, HOSTS, JOBS),
        # The first kind that has a host is the one.
        ({"archetype": "login_wall"}, HOSTS[:3], JOBS),
        ({"archetype": "plain"}, HOSTS[3:4], JOBS),
        ({"archetype": ["plain", "login_wall"]}, HOSTS[:4], JOBS),
        ({"archetype": "login_wall", "directory": "*-b.example"}, HOSTS[1:2], JOBS),
        ({"candidate_version": "2.0"}, HOSTS, ["first"]),
        ({"candidate_version": "2.*"}, HOSTS, ["first", "second"]),
        ({"candidate_version": "3.*"}, HOSTS, []),
        ({"candidate_version": "2.1", "archetype": "plain"}, HOSTS[3:4], ["second"]),
        ({"candidate_version": "2.*", "since": at(150)}, HOSTS, ["second"]),
    ],
)
def test_a_rule_absorbs_what_lies_in_its_scope(
    scope: dict[str, Any], hosts: tuple[str, ...], jobs: list[str]
) -> None:
    rules = _rules(**scope)
    inside = {(name, host) for name in jobs for host in hosts}
    whole = _compared(rules)
    assert _absorbed(whole) == inside
    # The same by the cells of a single pair, as `rules explain` asks for them.
    for name, host in ((n, h) for n in JOBS for h in HOSTS):
        effect = explain(whole, ("live", name, host))[-1].effect
        assert (effect != "out of scope") == ((name, host) in inside)
    # And where other rules are tried on pairs that are there already.
    assert _absorbed(compare_again(_compared(_rules()), rules)) == inside


@pytest.mark.parametrize(
    ("scope", "apart"),
    [
        ({"archetype": "login_wall"}, {(n, h) for n in JOBS for h in HOSTS[:3]}),
        ({"candidate_version": "2.1"}, {("second", h) for h in HOSTS}),
    ],
)
def test_pairs_are_set_apart_by_kind_of_site_and_by_version(
    scope: dict[str, Any], apart: set[tuple[str, str]]
) -> None:
    rules = RuleSet(version=1, archetype=ARCHETYPES, rule=(make_rule("exclude", **scope),))
    pairs = _compared(rules).pairs
    found = pairs.filter(pairs["verdict"] == "excluded").select("job_id", "directory")
    assert set(found.iter_rows()) == apart


def test_a_cause_that_all_sites_of_a_kind_share_is_told_by_the_kind() -> None:
    rows: list[Row] = []
    for number in range(40):
        for host in [f"forum-{n}.example" for n in range(8)] + [f"list-{n}.test" for n in range(8)]:
            key = {"job_id": f"j{number}", "directory": host, "unit": f"{number}/{host}"}
            fails = host.startswith("forum")
            rows += [
                control(**key),
                candidate("failed" if fails else "submitted", **key),
            ]
    jobs = [job(f"j{number}", created_at=at(number)) for number in range(40)]
    rules = RuleSet(version=1, archetype={"login_wall": ("forum-*",), "plain": ("*.test",)})
    comparison = compare(
        submissions_frame(rows), jobs_frame(jobs), rules, as_of=at(9000), deadline_s=600.0
    )
    (cluster,) = find_clusters(comparison).clusters
    assert dict(cluster.description)["archetype"] == "login_wall"
    assert "at sites of kind login_wall" in cluster.title
    assert (cluster.size, cluster.precision) == (320, 1.0)


def test_kinds_of_site_never_meet_and_versions_do_by_their_globs() -> None:
    one, other = (make_rule("map", map={"a": "b"}, archetype=name) for name in ARCHETYPES)
    assert not overlap(one, other)
    assert overlap(one, make_rule("map", map={"a": "b"}))
    first, second = (
        make_rule("map", map={"a": "b"}, candidate_version=glob) for glob in ("2.*", "3.*")
    )
    assert not overlap(first, second)
    assert overlap(first, make_rule("map", map={"a": "b"}, candidate_version="2.1"))


def test_declared_kinds_are_part_of_what_a_comparison_was_judged_by() -> None:
    bare = RuleSet(version=1, rule=())
    assert RuleSet(version=1, archetype={}, rule=()).digest == bare.digest
    assert RuleSet(version=1, archetype=ARCHETYPES, rule=()).digest != bare.digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[archetype]\nwizard = []", "archetype.wizard = [] lists no host."),
        ("[archetype]\nwizard = 5", "archetype.wizard = 5"),
        (
            '[archetype]\nwizard = "*.example"\n[[rule]]\nname = "r"\nkind = "casefold"\n'
            'field = "values.city"\nauthor = "Ada Quill"\nreason = "as agreed"\n'
            'archetype = "wizzard"',
            "rule r: archetype = 'wizzard' is not declared. Did you mean wizard?",
        ),
    ],
)
def test_a_wrong_declaration_is_one_line(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_rules(f"version = 1\n{text}\n", origin="team.toml")
    (line,) = str(caught.value).splitlines()
    assert line.startswith("team.toml: ")
    assert words in line
