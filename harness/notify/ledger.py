"""What one channel has been told and is still owed: observe, ask what is due, settle. Pure.

Each channel has a ledger of its own. What a channel could not be told stays in it and goes on
being folded by subject, so an outage of any length loses nothing and ends with one message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from harness.model import Severity
from harness.notify.changes import Change, StateChange, fold
from harness.notify.standing import JOURNAL, UNREADABLE, Cases, Standing, State

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long a change may wait, and how often a channel may be told something."""

    quiet_s: float
    """What goes to and fro within so many seconds is told in one piece; 0 tells at once."""
    per_hour: int
    """Messages in any hour, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What one channel has been told, and what waits to be told."""

    journal_id: str | None = None
    """None before anything was read."""
    seq: int = 0
    as_of: datetime | None = None
    time_scale: float = 1.0
    looked_at: datetime | None = None
    introduced: bool = False
    """Whether the first message, which says where the journal stands, has been delivered."""
    restart: str | None = None
    """Why there is a first look again, in words."""
    superseded: int = 0
    """Changes that waited when the looks had to begin again."""
    states: Mapping[str, State] = field(default_factory=dict)
    cases: Mapping[str, Cases] = field(default_factory=dict)
    waiting: tuple[Change, ...] = ()
    told_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each subject was last told, as long as that matters."""
    sent: tuple[datetime, ...] = ()
    """Messages of the last hour."""
    failed: int = 0
    """Looks in a row at which delivery failed."""
    failing_since: datetime | None = None
    not_before: datetime | None = None
    """The receiver asked to be left alone until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a channel is to be told now."""

    first: bool
    changes: tuple[Change, ...]
    ledger: Ledger
    """As it was when this became due."""


def observe(ledger: Ledger, standing: Standing, now: datetime) -> Ledger:
    """The ledger after a look that found `standing`."""
    if restart := _why_again(ledger, standing):
        ledger = replace(
            ledger,
            introduced=False,
            restart=restart,
            superseded=ledger.superseded + sum(change.changes for change in ledger.waiting),
            waiting=(),
        )
    waiting: tuple[Change, ...] = ()
    if ledger.introduced:
        since = ledger.looked_at or now
        waiting = fold(ledger.waiting, ledger.states, ledger.cases, standing, since=since)
    return replace(
        ledger,
        journal_id=standing.journal_id,
        seq=standing.seq,
        as_of=standing.as_of,
        time_scale=standing.time_scale,
        looked_at=now,
        states=standing.states,
        cases=standing.cases,
        waiting=waiting,
    )


def observe_trouble(ledger: Ledger, words: str, now: datetime) -> Ledger:
    """The ledger after a look at which the journal could not be read; words: why."""
    before = ledger.states.get(JOURNAL)
    blind = State(title="The journal", value=UNREADABLE, reason=words)
    if before and before.value == UNREADABLE:
        waiting = tuple(
            replace(c, reason=words) if isinstance(c, StateChange) and c.subject == JOURNAL else c
            for c in ledger.waiting
        )
    else:
        standing = Standing(
            journal_id=ledger.journal_id or "",
            seq=ledger.seq,
            as_of=ledger.as_of or now,
            states={**ledger.states, JOURNAL: blind},
            cases=ledger.cases,
        )
        # Since now, not since the last look: a journal that is locked once is no news yet.
        waiting = fold(ledger.waiting, ledger.states, ledger.cases, standing, since=now)
    return replace(ledger, looked_at=now, states={**ledger.states, JOURNAL: blind}, waiting=waiting)


def due(ledger: Ledger, now: datetime, policy: Policy) -> Due | None:
    """What is to be told now but for the limit; None where there is nothing yet."""
    if ledger.journal_id is not None and not ledger.introduced:
        return Due(first=True, changes=(), ledger=ledger)
    ready = tuple(change for change in ledger.waiting if _is_ready(change, ledger, now, policy))
    return Due(first=False, changes=ready, ledger=ledger) if ready else None


def free_at(ledger: Ledger, now: datetime, policy: Policy) -> datetime:
    """When the limit of messages an hour allows the next one; `now` where it does already."""
    recent = _recent(ledger.sent, now)
    if len(recent) < policy.per_hour:
        return now
    return recent[-policy.per_hour] + _HOUR


def hold(ledger: Ledger, what: Due) -> Ledger:
    """The ledger after the limit has kept `what` back; the next message will say so."""
    subjects = {change.subject for change in what.changes}
    return replace(
        ledger,
        waiting=tuple(
            replace(change, held=True) if change.subject in subjects else change
            for change in ledger.waiting
        ),
    )


def delivered(ledger: Ledger, what: Due, now: datetime, policy: Policy) -> Ledger:
    """The ledger after `what` has been told."""
    subjects = {change.subject for change in what.changes}
    quiet = timedelta(seconds=policy.quiet_s)
    told_at = {s: t for s, t in ledger.told_at.items() if t <= now < t + quiet}
    return replace(
        ledger,
        introduced=ledger.introduced or what.first,
        restart=None,
        superseded=0,
        waiting=()
        if what.first
        else tuple(change for change in ledger.waiting if change.subject not in subjects),
        told_at={**told_at, **dict.fromkeys(subjects, now)},
        sent=(*_recent(ledger.sent, now), now),
        failed=0,
        failing_since=None,
        not_before=None,
    )


def undelivered(ledger: Ledger, now: datetime, *, retry_after_s: float | None = None) -> Ledger:
    """The ledger after telling has failed; everything stays owed."""
    return replace(
        ledger,
        failed=ledger.failed + 1,
        failing_since=ledger.failing_since or now,
        not_before=now + timedelta(seconds=retry_after_s) if retry_after_s else None,
    )


def _why_again(ledger: Ledger, standing: Standing) -> str | None:
    if ledger.journal_id is None or not (ledger.introduced or ledger.restart):
        return None
    if standing.journal_id != ledger.journal_id:
        return "this is another journal than the one looked at before"
    if standing.seq < ledger.seq:
        return f"the journal went back from seq {ledger.seq} to {standing.seq}"
    return None


def _is_ready(change: Change, ledger: Ledger, now: datetime, policy: Policy) -> bool:
    quiet = timedelta(seconds=policy.quiet_s)
    # A clock that was set back must not keep anything waiting.
    if not change.since <= now < change.since + quiet:
        return True
    if change.severity is not Severity.CRITICAL or change.subject == JOURNAL:
        return False
    told = ledger.told_at.get(change.subject)
    return told is None or not told <= now < told + quiet


def _recent(sent: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    return tuple(moment for moment in sent if now - _HOUR < moment <= now)
