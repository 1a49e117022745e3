"""Since when each rule and gate is in force, as the record shows it.

Whoever writes a rule after looking at the differences can make any of them vanish. So the recorder
journals the rules and gates whenever they change; a rule counts from the first such event that has
it without a break. One that no event has counts from the moment that is looked at, which helps it
to nothing. Shipped rules were there before anybody looked, and so were those of the note that a
recorder makes when it begins: nothing was in the journal then that could have been looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from harness.assess.criteria import Criteria, shipped_rules
from harness.compare.rules import RuleSet
from harness.gates.wording import listed
from harness.journal.reader import Reader
from harness.model import EventDraft, EventKind, Source
from harness.resources import sql_queries

_Note: TypeAlias = tuple[datetime, dict[str, str], dict[str, str]]
"""When, and the digests of the rules and of the gates by name."""
_BEGINNING_S = 60.0
"""A recorder's first note comes so soon after it began; real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Since when the present rules and gates are in force."""

    rules: Mapping[str, datetime | None]
    """By name; None for a shipped rule."""
    unnoted: frozenset[str]
    """Rules that no event has; they stand with the moment that is looked at."""
    gates_since: datetime | None
    """None where no event has the present gates."""
    gates_changed: tuple[tuple[datetime, tuple[str, ...]], ...]
    """Each change of the gates after the first note: when, and which of them."""


def criteria_event(criteria: Criteria, *, at: datetime) -> EventDraft:
    """The event that notes the criteria; the same criteria have the same key."""
    return EventDraft(
        source=Source.OPERATOR,
        kind=EventKind.CRITERIA,
        key=f"criteria:{criteria.rules.digest}:{criteria.gates.version}:{at.isoformat()}",
        occurred_at=at,
        payload={
            "rules": {"version": criteria.rules.digest, "each": criteria.rules.digests},
            "gates": {"version": criteria.gates.version, "each": criteria.gates.digests},
        },
    )


def is_noted(reader: Reader, criteria: Criteria) -> bool:
    """Whether the newest note has these very criteria."""
    notes = _notes(reader)
    if not notes:
        return False
    _, rules, gates = notes[-1]
    return rules == criteria.rules.digests and gates == criteria.gates.digests


def in_force(reader: Reader, criteria: Criteria) -> InForce:
    """Since when the criteria are in force as of the reader's moment."""
    since: dict[tuple[str, str], datetime] = {}
    notes = _notes(reader)
    first = _first_note(reader, notes)
    gates_since: datetime | None = None
    before: dict[str, str] | None = None
    changed: list[tuple[datetime, tuple[str, ...]]] = []
    for at, rules, gates in notes:
        since = {rule: since.get(rule, at) for rule in rules.items()}
        if before is not None and gates != before:
            names = sorted({name for name, _ in gates.items() ^ before.items()})
            changed.append((at, tuple(names)))
        if gates != criteria.gates.digests:
            gates_since = None
        elif gates_since is None:
            gates_since = at
        before = gates
    shipped = set(shipped_rules().digests.values())
    ages: dict[str, datetime | None] = {}
    unnoted = set()
    for rule in criteria.rules.digests.items():
        name, digest = rule
        if digest in shipped:
            ages[name] = None
        elif rule in since:
            ages[name] = None if since[rule] == first else since[rule]
        else:
            ages[name] = reader.as_of_time
            unnoted.add(name)
    return InForce(
        rules=ages,
        unnoted=frozenset(unnoted),
        gates_since=gates_since,
        gates_changed=tuple(changed),
    )


def _first_note(reader: Reader, notes: Sequence[_Note]) -> datetime | None:
    """When the first note was made, if it was with the record's own beginning."""
    ((begun,),) = reader.rows(sql_queries("views/said.sql")["select_first_recording"])
    if not notes or begun is None:
        return None
    at = notes[0][0]
    return at if (at - begun.astimezone(UTC)).total_seconds() <= _BEGINNING_S else None


def as_of_rules(rules: RuleSet, ages: Mapping[str, datetime | None], moment: datetime) -> RuleSet:
    """The rules that were in force before a moment."""
    kept = tuple(
        rule for rule in rules.rule if (added := ages.get(rule.name)) is None or added < moment
    )
    return rules.model_copy(update={"rule": kept})


def gates_parts(force: InForce, *, first_job: datetime | None) -> tuple[str, ...]:
    """What the record says against the gates, one sentence each."""
    if first_job is None:
        return ()
    parts = [
        f"Gates were changed on {at:%d %B %Y %H:%M} UTC, after jobs had been seen: {listed(names)}."
        for at, names in force.gates_changed
        if at > first_job
    ]
    if force.gates_since is None:
        parts.append(
            "No event tells since when these gates are in force, so they may have been made after "
            "looking: record with them, or say shadow gates note."
        )
    return tuple(parts)


def _notes(reader: Reader) -> list[_Note]:
    found = []
    for payload, recorded_at in reader.rows(sql_queries("views/said.sql")["select_criteria"]):
        told = json.loads(payload)
        found.append(
            (recorded_at.astimezone(UTC), dict(told["rules"]["each"]), dict(told["gates"]["each"]))
        )
    return found
