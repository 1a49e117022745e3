"""Compares two runs over the same record: what does another version of the worker change?

Judges by the sandbox alone, what was claimed, stored and typed, so no rule takes part.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from harness.journal.reader import Reader
from harness.model import Outcome
from harness.resources import sql_queries
from replay.events import source_of
from replay.sandbox.conditions import Condition
from replay.selection import Pair


class ChangeKind(StrEnum):
    """What became of one submission from the first run to the second."""

    FIXED = "fixed"
    """It differed from the control, or from what the site saw; now it does not."""
    BROKE = "broke"
    """The other way round."""
    OTHER = "other"
    """As right or wrong as before, by another outcome, other values or another kind of error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A submission that the two runs ended differently."""

    job_id: str
    directory: str
    kind: ChangeKind
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """Two runs, submission by submission."""

    first: str
    second: str
    compared: int
    """Submissions with an outcome in both."""
    unsteady: int
    """Of those: flaky, or timed out on a starved machine, in either run; judged by nothing here."""
    only_one: int
    """Submissions with an outcome in one of them only."""
    changes: tuple[Change, ...]

    def count(self, kind: ChangeKind) -> int:
        """Changes of this kind."""
        return Counter(change.kind for change in self.changes)[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    condition: str
    claimed: str
    error_class: str | None
    error_text: str | None
    accepted: int
    posts: int
    values: str | None
    unsteady: bool

    @property
    def right(self) -> bool:
        submitted = self.claimed == Outcome.SUBMITTED
        wanted = self.condition == Condition.ACCEPTED
        return submitted == wanted and submitted == (self.accepted > 0)

    @property
    def outcome(self) -> tuple[object, ...]:
        return self.claimed, self.error_class, self.accepted, self.posts, self.values

    def __str__(self) -> str:
        seen = f"{self.accepted} stored of {self.posts} received"
        why = f": {self.error_text}" if self.error_text else ""
        return f"{self.claimed}, {seen}{why}"


def compare_runs(reader: Reader, first: str, second: str) -> Versus:
    """Compare two runs by their journaled outcomes, ordered by job and directory."""
    before, after = _outcomes(reader, first), _outcomes(reader, second)
    both = sorted(before.keys() & after.keys())
    unsteady = {key for key in both if before[key].unsteady or after[key].unsteady}
    changes = [
        Change(
            job_id=key[0],
            directory=key[1],
            kind=_kind(before[key], after[key]),
            before=str(before[key]),
            after=str(after[key]),
        )
        for key in both
        if key not in unsteady and before[key].outcome != after[key].outcome
    ]
    return Versus(
        first=first,
        second=second,
        compared=len(both),
        unsteady=len(unsteady),
        only_one=len(before.keys() ^ after.keys()),
        changes=tuple(changes),
    )


def _kind(before: _Ended, after: _Ended) -> ChangeKind:
    if before.right == after.right:
        return ChangeKind.OTHER
    return ChangeKind.FIXED if after.right else ChangeKind.BROKE


def _outcomes(reader: Reader, run: str) -> dict[Pair, _Ended]:
    reader.rows(sql_queries("sources/error_classes.sql")["create_classify_error"])
    query = sql_queries("views/select_replayable.sql")["select_run_outcomes"]
    found = {}
    for job_id, directory, *words in reader.rows(query, source=source_of(run)):
        condition, claimed, error_class, error_text, accepted, posts, values, unsteady = words
        found[job_id, directory] = _Ended(
            condition=condition,
            claimed=claimed,
            error_class=error_class,
            error_text=error_text,
            accepted=accepted,
            posts=posts,
            values=values,
            unsteady=unsteady,
        )
    return found
