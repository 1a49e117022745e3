"""Runs the examinations in their order; what cannot be asked says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.doctor.check import Check, Diagnosis, Findings, Status, Subject
from harness.doctor.clock import examine_clock
from harness.doctor.connection import Reached, examine_connection
from harness.doctor.content import examine_content
from harness.doctor.journal import examine_journal
from harness.doctor.plan import Plan
from harness.doctor.prefect import examine_prefect
from harness.doctor.queues import examine_queues
from harness.doctor.replaying import examine_replaying
from harness.doctor.role import examine_role
from harness.doctor.slot import examine_slot
from harness.doctor.tables import examine_tables
from harness.errors import SourceError

_OF_THE_SERVER = {
    Subject.ROLE: "rights",
    Subject.TABLES: "tables",
    Subject.SLOT: "slot",
    Subject.CLOCK: "difference",
}


def examine(plan: Plan, *, tell: Callable[[Check], None] | None = None) -> Diagnosis:
    """Look at everything and change nothing. tell: called with each check as it is made."""
    checks = []
    for found in _subjects(plan):
        for check in found.checks:
            checks.append(check)
            if tell is not None:
                tell(check)
    return Diagnosis(checks=tuple(checks))


def _subjects(plan: Plan) -> Iterator[Findings]:
    found, reached = examine_connection(plan)
    yield found
    if reached is None:
        for subject in _OF_THE_SERVER:
            yield _not_asked(subject, "there is no connection to the server")
    else:
        try:
            yield from _of_the_server(plan, reached)
        finally:
            reached.connection.close()
    yield examine_journal(plan, reached.server if reached else None)
    yield examine_queues(plan)
    yield examine_prefect(plan)
    yield examine_replaying(plan)


def _of_the_server(plan: Plan, reached: Reached) -> Iterator[Findings]:
    role = _guarded(Subject.ROLE, lambda: examine_role(plan, reached))
    yield role
    sound = all(check.status is not Status.FAIL for check in role.checks)
    yield _guarded(Subject.TABLES, lambda: _tables(plan, reached, may_read=sound))
    yield _guarded(Subject.SLOT, lambda: examine_slot(plan, reached))
    yield _guarded(Subject.CLOCK, lambda: examine_clock(reached))


def _tables(plan: Plan, reached: Reached, *, may_read: bool) -> Findings:
    found, tables = examine_tables(plan, reached, may_read=may_read)
    if tables:
        examine_content(plan, reached, tables, found)
    else:
        for name in ("sweep", "sample rows"):
            found.not_asked(name, "what is missing above comes first")
    return found


def _guarded(subject: Subject, look: Callable[[], Findings]) -> Findings:
    """An examination during which the server may stop answering."""
    try:
        return look()
    except SourceError as error:
        found = Findings(subject)
        found.missing(_OF_THE_SERVER[subject], str(error), "Ask again when the server answers.")
        return found


def _not_asked(subject: Subject, why: str) -> Findings:
    found = Findings(subject)
    found.not_asked(_OF_THE_SERVER[subject], why)
    return found
