"""What a look changed: differences and cases of findings that appeared, changed or went. Pure.

A case of a finding is a place, a mode with a job and a directory, as often as it is named there.
The event and the wording of its evidence move on while the case stays the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from harness.assessment import Difference, Evidence, Finding
from harness.compare.comparison import Comparison, differences

Row: TypeAlias = tuple[str, Evidence]
"""Mode and evidence."""


class Change(StrEnum):
    """What became of a difference or a case."""

    APPEARED = "appeared"
    CHANGED = "changed"
    """It still differs, in another way."""
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceChange:
    """One difference, as it is now; of one that is gone, as it was."""

    change: Change
    difference: Difference
    former: Difference | None = None
    """What it was, where it changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One case of a finding, with its evidence now; of one that is gone, the last."""

    change: Change
    finding: str
    """Id of the detector."""
    mode: str
    evidence: Evidence


class LiveChanges:
    """Differences of every job, and what changed since somebody last took the changes."""

    def __init__(self) -> None:
        self._of_job: dict[str, dict[str, Difference]] = {}
        self._differences: list[DifferenceChange] = []
        self._cases: list[CaseChange] = []

    def replace(self, jobs: Collection[str] | None, comparison: Comparison) -> None:
        """Hold the differences of these jobs against those they had. comparison: theirs.

        jobs: None for all there are.
        """
        found: defaultdict[str, dict[str, Difference]] = defaultdict(dict)
        for difference in differences(comparison):
            found[difference.job_id][difference.id] = difference
        for job in self._of_job.keys() | found.keys() if jobs is None else jobs:
            before, after = self._of_job.pop(job, {}), found.get(job, {})
            self._differences += _between(before, after)
            if after:
                self._of_job[job] = after

    def findings(self, before: Iterable[Finding], after: Iterable[Finding]) -> None:
        """Hold all findings against all that there were."""
        was, now = _rows(before), _rows(after)
        for finding in sorted(was.keys() | now.keys()):
            self.cases(finding, was.get(finding, ()), now.get(finding, ()))

    def cases(self, finding: str, before: Sequence[Row], after: Sequence[Row]) -> None:
        """Hold rows of a finding against those they replace; no other row has one of their places.

        finding: id of the detector.
        """
        if before == after:
            return
        was, now = Counter(map(_place, before)), Counter(map(_place, after))
        for change, rows, more in (
            (Change.GONE, before, was - now), (Change.APPEARED, after, now - was),
        ):  # fmt: skip
            for mode, evidence in reversed(rows):
                place = _place((mode, evidence))
                if more[place]:
                    more[place] -= 1
                    self._cases.append(
                        CaseChange(change=change, finding=finding, mode=mode, evidence=evidence)
                    )

    def of_job(self, job: str | None) -> list[Difference]:
        """The differences of a job as they are now; None for those of all jobs."""
        if job is not None:
            return list(self._of_job.get(job, {}).values())
        return [one for of_job in self._of_job.values() for one in of_job.values()]

    def take(self) -> tuple[list[DifferenceChange], list[CaseChange]]:
        """What changed since this was last asked, in the order of places."""
        found = (
            sorted(self._differences, key=_difference_order),
            sorted(self._cases, key=_case_order),
        )
        self._differences, self._cases = [], []
        return found


def _between(
    before: dict[str, Difference], after: dict[str, Difference]
) -> Iterator[DifferenceChange]:
    for key, was in before.items():
        if key not in after:
            yield DifferenceChange(change=Change.GONE, difference=was)
    for key, now in after.items():
        if (former := before.get(key)) is None:
            yield DifferenceChange(change=Change.APPEARED, difference=now)
        # A later event of the pair that leaves the difference as it was is no news.
        elif former != now and former != replace(now, seq=former.seq):
            yield DifferenceChange(change=Change.CHANGED, difference=now, former=former)


def _rows(findings: Iterable[Finding]) -> dict[str, list[Row]]:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for finding in findings:
        rows[finding.id] += [(finding.mode, evidence) for evidence in finding.evidence]
    return rows


def _place(row: Row) -> tuple[str, str | None, str | None]:
    mode, evidence = row
    return mode, evidence.job_id, evidence.directory


def _difference_order(one: DifferenceChange) -> tuple[str, ...]:
    of = one.difference
    return of.mode, of.job_id, of.directory, of.field


def _case_order(one: CaseChange) -> tuple[str, ...]:
    of = one.evidence
    return one.finding, one.mode, of.job_id or "", of.directory or "", one.change
