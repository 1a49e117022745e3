"""Standings of an invented journal, and a channel's life told in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from harness.notify.changes import CasesChange, Change, StateChange
from harness.notify.ledger import (
    Due,
    Ledger,
    Policy,
    delivered,
    due,
    free_at,
    hold,
    observe,
    undelivered,
)
from harness.notify.standing import JOURNAL, READABLE, Cases, Standing, State
from tests.support.assessments import AS_OF

JOURNAL_ID = "6f0c2a51b7de"
LOOKED_AT = AS_OF + timedelta(minutes=1)
POLICY = Policy(quiet_s=600.0, per_hour=10)
_LEDGER: TypeAdapter[Ledger] = TypeAdapter(Ledger)


def make_standing(
    states: Mapping[str, str] | None = None,
    cases: Mapping[str, Iterable[str]] | None = None,
    *,
    seq: int = 100,
    journal_id: str = JOURNAL_ID,
) -> Standing:
    """A journal's standing. states, cases: by subject, such as ``gate:shadow.zero_loss``."""
    told = {JOURNAL: READABLE, **(states or {})}
    return Standing(
        journal_id=journal_id,
        seq=seq,
        as_of=AS_OF + timedelta(seconds=seq),
        states={
            subject: State(title=subject.title(), value=value, reason=f"It is {value}.")
            for subject, value in told.items()
        },
        cases={
            subject: Cases(title=subject.title(), keys=tuple(sorted(keys)))
            for subject, keys in (cases or {}).items()
        },
    )


@dataclass
class Listener:
    """One channel and its ledger; `told` is all that it has got, with the moment of each."""

    policy: Policy = POLICY
    ledger: Ledger = field(default_factory=Ledger)
    told: list[tuple[datetime, Due]] = field(default_factory=list)

    def look(self, standing: Standing, now: datetime, *, works: bool = True) -> Due | None:
        """One look as the notifier makes it; what was delivered."""
        self.ledger = observe(self.ledger, standing, now)
        what = due(self.ledger, now, self.policy)
        if what is None:
            return None
        if free_at(self.ledger, now, self.policy) > now:
            self.ledger = hold(self.ledger, what)
            return None
        if not works:
            self.ledger = undelivered(self.ledger, now)
            return None
        self.ledger = delivered(self.ledger, what, now, self.policy)
        self.told.append((now, what))
        return what

    def restart(self) -> None:
        """Forget everything but what a state file keeps."""
        self.ledger = _LEDGER.validate_json(_LEDGER.dump_json(self.ledger))

    def changes(self, subject: str) -> list[Change]:
        """What it was told of one subject, in order."""
        return [c for _, what in self.told for c in what.changes if c.subject == subject]


def ways(changes: Iterable[Change]) -> list[tuple[str | None, ...]]:
    """The ways of state changes."""
    return [change.way for change in changes if isinstance(change, StateChange)]


def case_changes(changes: Iterable[Change]) -> list[CasesChange]:
    """Those that are of cases."""
    return [change for change in changes if isinstance(change, CasesChange)]
