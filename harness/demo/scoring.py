"""Marks a rehearsal: which planted faults the comparison named, and what it named beside them.

The only reader of the planted truth besides the actors' scripts. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.assessment import Assessment
from harness.demo.script import Planted
from harness.model import LIVE, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing that an assessment says is wrong, and where."""

    kind: str
    """Kind of a difference or id of a finding."""
    mode: str
    job_id: str | None
    directory: str | None

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.job_id, self.directory)))
        return f"{self.kind} ({self.mode}) {where}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a rehearsal was judged."""

    planted: int
    found: int
    missed: tuple[Planted, ...]
    false_alarms: tuple[Claim, ...]

    @property
    def perfect(self) -> bool:
        """Everything planted was named, and nothing else."""
        return self.found == self.planted and not self.false_alarms


def claims_of(assessment: Assessment) -> tuple[Claim, ...]:
    """Every difference and every piece of evidence of a finding above ``info``."""
    told = {
        Claim(kind=d.kind, mode=d.mode, job_id=d.job_id, directory=d.directory)
        for d in assessment.differences
    }
    told |= {
        Claim(kind=finding.id, mode=finding.mode, job_id=item.job_id, directory=item.directory)
        for finding in assessment.findings
        if finding.severity is not Severity.INFO
        for item in finding.evidence
    }
    return tuple(sorted(told, key=str))


def score(assessment: Assessment, planted: Sequence[Planted], *, replayed: bool) -> Score:
    """Hold the claims against what was planted.

    replayed: without a replay, faults that only a replay can show are not expected.
    A fault is found by a claim of its kind at its place; any claim at the place of a fault is a
    consequence of it, and every other claim is a false alarm.
    """
    claims = claims_of(assessment)
    expected = [fault for fault in planted if replayed or fault.found_by == "live"]
    missed = tuple(fault for fault in expected if not any(_names(c, fault) for c in claims))
    return Score(
        planted=len(expected),
        found=len(expected) - len(missed),
        missed=missed,
        false_alarms=tuple(c for c in claims if not any(_is_at(c, fault) for fault in planted)),
    )


def _names(claim: Claim, fault: Planted) -> bool:
    by_replay = fault.found_by == "replay"
    return claim.kind == fault.kind and (claim.mode != LIVE) == by_replay and _is_at(claim, fault)


def _is_at(claim: Claim, fault: Planted) -> bool:
    if claim.job_id != fault.job_id:
        return False
    return fault.directory is None or claim.directory == fault.directory
