"""A rule made after looking speaks for no job that was there before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.assess.in_force import criteria_event
from harness.assessment import Assessment
from harness.compare.rules import RuleSet
from harness.model import Decision, GateStatus
from tests.support.deciding import failed_job, good_job, make_batches
from tests.support.events import at
from tests.support.journals import assessed, criteria
from tests.support.rules import make_rule
from tests.support.weeks import shipped_rules

HIDES_ALL = make_rule("map", name="all is well", field="outcome",
                      map={"failed": "submitted"})  # fmt: skip
JOBS = 40
LATER = 10_000.0
"""When the second half of the jobs is created."""


def with_rule() -> RuleSet:
    return shipped_rules().having(HIDES_ALL)


def week(folder: Path, *, noted: float | None, later_fail: bool = True) -> Assessment:
    """Half the jobs disagree before anything is noted, half are created after `LATER`."""
    rules = with_rule()
    note = criteria_event(criteria(rules=rules), at=at(noted or 0))
    first = [e for n in range(JOBS) for e in failed_job(n, second=n)]
    make = failed_job if later_fail else good_job
    second = [e for n in range(JOBS) for e in make(JOBS + n, second=LATER + n)]
    batches: list[tuple[float, Any]] = [(500.0, first), (LATER + 500.0, second)]
    if noted is not None:
        batches.append((noted, [note]))
    batches.sort(key=lambda batch: batch[0])
    journal = make_batches(folder, batches, until=LATER + 5000.0)
    return assessed(journal, rules=rules)


def agreement(found: Assessment) -> Any:
    return next(g for p in found.phases for g in p.gates if g.gate == "dual-write.agreement")


def test_a_rule_from_before_the_first_job_speaks_for_every_job(tmp_path: Path) -> None:
    found = week(tmp_path, noted=-100.0)
    assert found.agreement.fresh is None
    assert agreement(found).n == 2 * JOBS
    assert found.agreement.by_job.value == 1.0
    (rule,) = (rule for rule in found.rules if rule.name == "all is well")
    assert rule.added_at == at(-100.0)
    assert rule.noted


def test_a_rule_made_after_the_data_that_hides_every_difference_brings_no_go_no_nearer(
    tmp_path: Path,
) -> None:
    without = tmp_path / "without"
    without.mkdir()
    fails = [e for n in range(2 * JOBS) for e in failed_job(n, second=n)]
    before = assessed(make_batches(without, [(500.0, fails)], until=5000.0), rules=shipped_rules())
    assert agreement(before).status is GateStatus.FAIL
    found = week(tmp_path, noted=LATER + 1000.0)
    gate = agreement(found)
    assert (gate.status, gate.n) == (GateStatus.OPEN, 0)
    assert found.decision is not Decision.GO
    # All three figures stand together.
    assert found.agreement.without_rules.value == 0.0
    assert found.agreement.by_job.value == 1.0
    assert found.agreement.fresh is not None
    assert found.agreement.fresh.n == 0
    assert found.agreement.fresh_since == at(LATER + 1000.0)
    assert "all is well" in found.agreement.fresh_why
    assert f"{2 * JOBS} jobs left out" in found.agreement.fresh_why


def test_a_rule_made_in_between_speaks_for_the_jobs_since(tmp_path: Path) -> None:
    found = week(tmp_path, noted=LATER - 1000.0)
    gate = agreement(found)
    assert gate.n == JOBS
    assert gate.value == 1.0
    assert "only jobs since rule all is well" in gate.evidence_text
    assert found.agreement.fresh is not None
    assert found.agreement.fresh.n == JOBS


def test_a_rule_that_nobody_noted_counts_as_made_just_now(tmp_path: Path) -> None:
    found = week(tmp_path, noted=None)
    assert agreement(found).n == 0
    (rule,) = (rule for rule in found.rules if rule.name == "all is well")
    assert not rule.noted
    assert "No event tells since when these gates are in force" in " ".join(found.missing_parts)


def test_a_young_rule_that_changes_no_verdict_costs_nothing(tmp_path: Path) -> None:
    rules = shipped_rules().having(make_rule("map", name="idle", field="outcome",
                                             map={"never said": "submitted"}))  # fmt: skip
    events = [e for n in range(JOBS) for e in good_job(n, second=n)]
    journal = make_batches(tmp_path, [(500.0, events)], until=5000.0)
    found = assessed(journal, rules=rules)
    assert found.agreement.fresh is None
    assert agreement(found).n == JOBS


def test_two_young_rules_that_hide_the_same_are_not_excused_by_each_other(tmp_path: Path) -> None:
    twin = HIDES_ALL.model_copy(update={"name": "twin", "map": {"failed": "submitted"}})
    rules = shipped_rules().having(HIDES_ALL).having(twin)
    events = [e for n in range(JOBS) for e in failed_job(n, second=n)]
    journal = make_batches(tmp_path, [(500.0, events)], until=5000.0)
    found = assessed(journal, rules=rules)
    assert found.agreement.fresh is not None
    assert agreement(found).n == 0
