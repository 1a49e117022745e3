"""Words what is due: sentences for people, a record for programs, Slack's form of both. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.gates.shown import DECISION_SIGNS
from harness.gates.wording import counted, sentence
from harness.model import Severity
from harness.notify.changes import CasesChange, Change, StateChange, fold
from harness.notify.ledger import Due, Ledger, Policy
from harness.notify.standing import DECISION, JOURNAL, UNREADABLE, Standing, printable
from harness.report.wording import moment, rehearsal

SCHEMA_VERSION = 1
MOST_SHOWN = 20
"""Sentences of one message; the record holds all."""
_EXAMPLES = 3
_SIGNS = {decision.value: sign for decision, sign in DECISION_SIGNS.items()}
_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_SLACK_HEADER = 150
_SLACK_SECTION = 3000
_SLACK_LINE = 590
"""So that a line still fits if each of its characters is written as five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that has changed, or of a first look, one thing that is so."""

    id: str
    """The same for the same change of the same journal, so that a receiver can tell a repeat."""
    what: str
    """The subject: ``decision``, ``journal``, ``gate:ID`` or ``finding:MODE:ID``."""
    before: str | None
    """A state, or the number of cases; None where there was nothing before."""
    after: str | None
    changes: int
    """How many changes it stands for; 0 on a first look."""
    severity: Severity
    seq: int
    as_of: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one channel is told at once."""

    kind: str
    """``changes``, ``first_look`` or ``test``."""
    journal: str
    journal_id: str | None
    seq: int
    as_of: datetime | None
    decision: str | None
    headline: str
    notices: tuple[Notice, ...]
    notes: tuple[str, ...]
    """What else must be known: what was held back, what came late, where it all stands."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What has changed, a line each; what is too much is counted."""
        shown = [notice.text for notice in self.notices[:MOST_SHOWN]]
        if more := len(self.notices) - len(shown):
            shown.append(f"and {more:,} more; shadow report tells all")
        return tuple(shown)

    @property
    def text(self) -> str:
        """The message as a person reads it."""
        return "\n".join([self.headline, *(f"• {line}" for line in self.lines), *self.notes])


def compose(what: Due, *, journal: str, policy: Policy) -> Message:
    """Word what is due. journal: the name of its file."""
    ledger = what.ledger
    notices = _first_look(ledger) if what.first else [_notice(c, ledger) for c in what.changes]
    notices.sort(key=lambda notice: _RANK[notice.severity])
    decision = ledger.states.get(DECISION)
    headline = f"Not known: {journal}"
    if decision:
        known = f"{_SIGNS.get(decision.value, '')} {decision.value}".strip()
        headline = f"{known}: {journal}, seq {ledger.seq}, {moment(ledger.as_of)}"
    return Message(
        kind="first_look" if what.first else "changes",
        journal=journal,
        journal_id=ledger.journal_id,
        seq=ledger.seq,
        as_of=ledger.as_of,
        decision=decision.value if decision else None,
        headline=headline,
        notices=tuple(notices),
        notes=tuple(_notes(what, policy)),
    )


def check_message(journal: str) -> Message:
    """What ``--test`` sends."""
    return Message(
        kind="test",
        journal=printable(journal),
        journal_id=None,
        seq=0,
        as_of=None,
        decision=None,
        headline=f"Test: shadow notify reaches this channel, for {printable(journal)}.",
        notices=(),
        notes=(),
    )


def to_record(message: Message) -> dict[str, Any]:
    """What a command or a file is given; may grow, never changes quietly."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": message.kind,
        "journal": message.journal,
        "journal_id": message.journal_id,
        "seq": message.seq,
        "as_of": _iso(message.as_of),
        "decision": message.decision,
        "text": message.text,
        "notes": list(message.notes),
        "notices": [
            {
                "id": notice.id,
                "what": notice.what,
                "before": notice.before,
                "after": notice.after,
                "changes": notice.changes,
                "severity": notice.severity.value,
                "seq": notice.seq,
                "as_of": _iso(notice.as_of),
                "text": notice.text,
            }
            for notice in message.notices
        ],
    }


def to_slack(message: Message) -> dict[str, Any]:
    """Body of an incoming webhook of Slack's form; blocks within Slack's bounds of length."""
    head = _cut(message.headline, _SLACK_HEADER)
    lines = [f"• {_escaped(_cut(line, _SLACK_LINE))}" for line in message.lines]
    notes = [_escaped(_cut(note, _SLACK_LINE)) for note in message.notes]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": head, "emoji": False}}
    ]
    for part in _parts(lines):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": part}})
    for part in _parts(notes):
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": part}]})
    return {"text": "\n".join([_escaped(head), *lines, *notes]), "blocks": blocks}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escaped(text: str) -> str:
    """Text in which Slack sees no link, mention or ``<!channel>``."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parts(lines: Iterable[str]) -> Iterator[str]:
    """The lines in as few texts as Slack's bound allows."""
    part = ""
    for line in lines:
        if part and len(part) + 1 + len(line) > _SLACK_SECTION:
            yield part
            part = ""
        part = f"{part}\n{line}" if part else line
    if part:
        yield part


def _first_look(ledger: Ledger) -> list[Notice]:
    """The decision and all that is bad, as if it had come just now."""
    assert ledger.as_of is not None
    standing = Standing(
        journal_id=ledger.journal_id or "",
        seq=ledger.seq,
        as_of=ledger.as_of,
        states=ledger.states,
        cases=ledger.cases,
    )
    return [
        _notice(change, ledger, first=True)
        for change in fold((), {}, {}, standing, since=ledger.as_of)
        if change.subject == DECISION or change.severity is Severity.CRITICAL
    ]


def _notice(change: Change, ledger: Ledger, *, first: bool = False) -> Notice:
    before: str | None
    after: str | None
    if isinstance(change, StateChange):
        before, after, text = change.way[0], change.way[-1], _state_text(change, first=first)
    else:
        told = change.now - len(change.fresh) + len(change.left)
        before, after = None if first else str(told), str(change.now)
        text = _cases_text(change, first=first)
    parts = (ledger.journal_id or "", change.subject, before or "", after or "", str(change.seq))
    return Notice(
        id=hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16],
        what=change.subject,
        before=before,
        after=after,
        changes=0 if first else change.changes,
        severity=change.severity,
        seq=change.seq,
        as_of=change.as_of,
        text=text,
    )


def _named(change: Change) -> str:
    kind, _, rest = change.subject.partition(":")
    if kind == "gate":
        optional = "" if isinstance(change, StateChange) and change.required else ", not required"
        return f"Gate “{change.title}” ({rest}{optional})"
    if kind == "finding":
        mode, _, name = rest.rpartition(":")
        return f"Critical finding “{change.title}” ({name}, {mode})"
    return change.title


def _state_text(change: StateChange, *, first: bool) -> str:
    if change.subject == JOURNAL:
        if change.way[-1] == UNREADABLE:
            return sentence(f"{change.title} cannot be read, so nothing is known: {change.reason}")
        return f"{change.title} can be read again."
    before, after = change.way[0], change.way[-1]
    if after is None:
        return f"{_named(change)} is gone; it was {before}."
    if before is None and len(change.way) == 2:
        new = "" if first else "New: "
        return f"{new}{_named(change)}: {after}. {change.reason}".strip()
    words = [state or "not there" for state in change.way]
    if change.changes > len(change.way) - 1:
        half = len(words) // 2
        words[half:half] = ["…"]
    way = " → ".join(words)
    if change.changes > 1:
        way += f" ({change.changes} changes)"
    return f"{_named(change)}: {way}. {change.reason}".strip()


def _cases_text(change: CasesChange, *, first: bool) -> str:
    if first:
        return f"{_named(change)}: {_counted_cases(change.fresh, '')}."
    parts = []
    if change.fresh:
        parts.append(_counted_cases(change.fresh, "new "))
    if change.left:
        parts.append(f"{_counted_cases(change.left, '')} gone")
    passing = change.changes - len(change.fresh) - len(change.left)
    if passing:
        parts.append(counted(passing, "change") + " to and fro")
    parts.append(f"{change.now:,} now" if change.now else "none now")
    return f"{_named(change)}: {'; '.join(parts)}."


def _counted_cases(keys: tuple[str, ...], word: str) -> str:
    shown = list(keys[:_EXAMPLES])
    if len(keys) > len(shown):
        shown.append("…")
    return f"{counted(len(keys), word + 'case')} ({'; '.join(shown)})"


def _notes(what: Due, policy: Policy) -> Iterator[str]:
    ledger = what.ledger
    if what.first:
        why = ledger.restart or "nothing is remembered of an earlier one"
        yield f"This is a first look ({why}), so it says where the journal stands."
        if ledger.superseded:
            yield f"{counted(ledger.superseded, 'change')} that waited to be told went with it."
    held = [change for change in what.changes if change.held]
    if held:
        yield (
            f"Held back by the limit of {counted(policy.per_hour, 'message')} an hour: "
            f"{len(held):,} of these, {counted(sum(c.changes for c in held), 'change')} in all, "
            f"the first since {moment(min(c.since for c in held))}."
        )
    if ledger.failed and ledger.failing_since:
        yield (
            f"Late: telling this failed at {counted(ledger.failed, 'look')}, "
            f"the first at {moment(ledger.failing_since)}."
        )
    gates = Counter(s.value for subject, s in ledger.states.items() if subject.startswith("gate:"))
    if gates:
        tally = ", ".join(f"{number} {status}" for status, number in sorted(gates.items()))
        cases = sum(len(cases.keys) for cases in ledger.cases.values())
        journal = ledger.states.get(JOURNAL)
        when = "Last known" if journal and journal.value == UNREADABLE else "Now"
        found = f"{tally}; {counted(cases, 'critical case')}"
        yield f"{when}: {counted(gates.total(), 'gate')}: {found}."
    if warning := rehearsal(ledger.time_scale):
        yield warning


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None
