"""The comparison and a plain second one agree on random journals, pair by pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model import Verdict
from tests.support.journals import assessed, make_journal
from tests.support.reference import compare_plainly, counts
from tests.support.reference_runs import DEADLINE_S, Results, compared, journal_of, results_of
from tests.support.reference_weeks import CLASSES, Week, random_week
from tests.support.schedules import base_seed

BASE = base_seed()
PER_TEST = 25


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty journal to copy, which is quicker than to make one."""
    return make_journal(tmp_path_factory.mktemp("empty")).path


def plainly(week: Week) -> Results:
    return compare_plainly(
        week.events, CLASSES, until=week.until, deadline_s=DEADLINE_S, scale=week.scale
    )


def disagreements(found: Results, expected: Results) -> Iterator[str]:
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key) != expected.get(key):
            yield f"{key}: compared {found.get(key)}, plainly {expected.get(key)}"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_both_comparisons_agree(part: int, empty: Path, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for number in range(PER_TEST):
        seed = BASE + PER_TEST * part + number
        week = random_week(seed)
        comparison = compared(week, journal_of(week, empty, tmp_path / f"{number}.duckdb"))
        found, expected = results_of(comparison), plainly(week)
        problems = list(disagreements(found, expected))
        assert not problems, "\n".join([f"SHADOW_TEST_SEED={BASE}, week {seed}:", *problems])
        # Every pair that came in is in one of the verdicts that the plain comparison counted.
        verdicts = counts(expected.values())
        assert Counter(comparison.pairs["verdict"].to_list()) == verdicts
        assert comparison.pairs.height == sum(verdicts[verdict] for verdict in Verdict)
        seen += verdicts
        (tmp_path / f"{number}.duckdb").unlink()
    assert set(seen) == {verdict.value for verdict in Verdict}, f"{seen}: too tame a generator"


@pytest.mark.slow
def test_the_assessment_counts_what_the_plain_comparison_counts(
    empty: Path, tmp_path: Path
) -> None:
    for number in range(12):
        seed = BASE + 500 + number
        week = random_week(seed)
        journal = journal_of(week, empty, tmp_path / f"{number}.duckdb")
        thought = assessed(journal, deadline_s=DEADLINE_S, time_scale=week.scale)
        expected = plainly(week)
        live = counts(result for key, result in expected.items() if key[0] == "live")
        assert dict(thought.agreement.verdicts) == {v: live[v] for v in Verdict}, seed
        assert sum(count for _, count in thought.agreement.excluded) == live["excluded"], seed
        assert thought.coverage.submissions == live.total(), seed
        assert {(d.mode, d.job_id, d.directory, d.field) for d in thought.differences} == {
            (*key, name) for key, result in expected.items() for name in result.fields
        }, seed
