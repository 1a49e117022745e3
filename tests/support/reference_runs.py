"""What the comparison makes of a random week that went through a real journal."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.assess.comparing import compare_journal
from harness.compare.comparison import Comparison
from harness.journal.store import Journal
from harness.model import Batch
from tests.support.journals import criteria, make_watermarks
from tests.support.reference import Result
from tests.support.reference_weeks import Week

DEADLINE_S = 600.0
RULES = criteria().rules

Results = dict[tuple[str, str, str], Result]
"""By (mode, job, directory)."""


def journal_of(week: Week, empty: Path, path: Path) -> Journal:
    """Record a week. empty: a journal without events to copy, which is quicker than to make one."""
    shutil.copy(empty, path)
    journal = Journal.open(path)
    for batch in week.batches:
        journal.append(Batch(events=batch, watermarks=make_watermarks(week.until)))
    return journal


def compared(week: Week, journal: Journal) -> Comparison:
    """Compare the journal of a week by the shipped rules, as the assessment does."""
    asked = criteria(deadline_s=DEADLINE_S, time_scale=week.scale)
    with journal.reader() as reader:
        return compare_journal(reader, asked, unsampled_too=True).comparison


def results_of(comparison: Comparison) -> Results:
    """The verdict of each pair and its fields that differ."""
    fields: dict[tuple[str, str, str], set[str]] = {}
    for row in comparison.differing.iter_rows(named=True):
        key = row["mode"], row["job_id"], row["directory"]
        fields.setdefault(key, set()).add(row["field"])
    pairs = comparison.pairs.select("mode", "job_id", "directory", "verdict").rows()
    found = {
        (mode, job, host): Result(verdict, frozenset(fields.get((mode, job, host), ())))
        for mode, job, host, verdict in pairs
    }
    assert len(found) == len(pairs), "a pair has two verdicts"
    return found
