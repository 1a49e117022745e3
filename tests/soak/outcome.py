"""Compares journal and source after the chaos, and says so as a table. Starts nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.journal.store import Journal
from harness.journal.verify import verify
from tests.soak.supervised import Memory, Supervised
from tests.soak.writers import Ledger
from tests.support.load import KEYS, committed_rows, history_ids, recorded_history_ids
from tests.support.postgres import Production
from tests.support.schedule_truth import same

_LONG_LIFE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was lost, doubled or made up, and what it took."""

    history: int
    lost: int
    doubled: int
    invented: int
    """Recorded rows of transactions that were rolled back."""
    in_place: int
    stale: int
    """Rows whose last recorded version is not the one that is there."""
    undead: int
    """Rows that are gone and not recorded so, or the other way round."""
    deleted: int
    gaps: Mapping[str, int]
    delays_s: Sequence[float]
    """From commit to journal, sorted."""
    events: int
    problems: Sequence[str]
    """What `shadow journal verify` says."""

    @property
    def is_clean(self) -> bool:
        """True if nothing was lost, doubled, made up or damaged."""
        wrong = (self.lost, self.doubled, self.invented, self.stale, self.undead)
        return not any(wrong) and not self.problems


def judge(production: Production, journal: Journal, ledger: Ledger) -> Outcome:
    """Hold the journal against the source, row by row, and against what the writers know."""
    committed, recorded = history_ids(production), recorded_history_ids(journal)
    lost = (committed - recorded).total()
    # The writers' own word, should the source itself have lost something.
    lost += len(ledger.committed.keys() - committed.keys())
    stale = undead = rows = 0
    last = _last_words(journal)
    for table in KEYS:
        truth = committed_rows(production, table)
        rows += len(truth)
        words = last.get(table, {})
        stale += sum(
            words.get(row) is None or not same(words[row] or {}, payload)
            for row, payload in truth.items()
        )
        undead += sum(word is not None and row not in truth for row, word in words.items())
    with journal.reader() as reader:
        gaps = Counter(
            str(what) for (what,) in reader.rows(
                "SELECT payload->>'$.what' FROM events_now WHERE kind = 'record.gap'"
            )
        )  # fmt: skip
        ((deleted,),) = reader.rows("SELECT count(*) FROM events_now WHERE kind = 'row.deleted'")
        times: dict[str, datetime] = dict(
            reader.rows(
                "SELECT payload->>'$.id', recorded_at FROM events_now WHERE kind = 'queue_history'"
            )
        )
    delays = sorted(
        (times[row] - at).total_seconds() for row, at in ledger.committed.items() if row in times
    )
    verification = verify(journal.path)
    return Outcome(
        history=committed.total(),
        lost=lost,
        doubled=sum(count - 1 for count in recorded.values()),
        invented=len((recorded.keys() - committed.keys()) | (recorded.keys() & ledger.undone)),
        in_place=rows,
        stale=stale,
        undead=undead,
        deleted=deleted,
        gaps=gaps,
        delays_s=delays,
        events=verification.events,
        problems=verification.problems,
    )


def table(
    outcome: Outcome,
    ledger: Ledger,
    faults: Mapping[str, int],
    recorder: Supervised,
    *,
    about: str,
    elapsed_s: float,
) -> str:
    """Return the figures as Markdown."""
    lines = [about, "", "| figure | value |", "|---|---|"]

    def say(name: str, value: object) -> None:
        lines.append(f"| {name} | {value} |")

    say("time", f"{elapsed_s / 60:.1f} min")
    say(
        "rows committed by the writers", f"{ledger.rows:,} ({ledger.rows / elapsed_s:.0f} a second)"
    )
    say("their transactions", f"{ledger.transactions:,}, and {ledger.broken:,} that a fault ended")
    say("rows of the history", f"{outcome.history:,}")
    say("— lost", outcome.lost)
    say("— recorded more than once", outcome.doubled)
    say("— recorded though rolled back", outcome.invented)
    say("rows that change in place", f"{outcome.in_place:,}")
    say("— whose last version is not the recorded one", outcome.stale)
    say("— gone and not recorded as gone, or the reverse", outcome.undead)
    say("rows recorded as deleted", f"{outcome.deleted:,}")
    say(
        "`shadow journal verify`",
        "; ".join(outcome.problems) or f"clean, {outcome.events:,} events",
    )
    gaps = ", ".join(f"{count} of {what}" for what, count in sorted(outcome.gaps.items()))
    say("gaps recorded", f"{sum(outcome.gaps.values())}{f': {gaps}' if gaps else ''}")
    if outcome.delays_s:
        p50, p95, p99 = (_quantile(outcome.delays_s, p) for p in (0.5, 0.95, 0.99))
        longest = outcome.delays_s[-1]
        say(
            "commit to journal, faults and outages included",
            f"median {p50:.2f} s, P95 {p95:.1f} s, P99 {p99:.1f} s, longest {longest:.0f} s",
        )
    say("recorder's memory", _memory(recorder.lives))
    lines += ["", "| fault | times |", "|---|---|"]
    lines += [f"| {name} | {count} |" for name, count in sorted(faults.items())]
    lines += ["", "| how a recorder ended | times |", "|---|---|"]
    lines += [f"| {why} | {count} |" for why, count in sorted(recorder.ends.items())]
    return "\n".join(lines)


def _last_words(journal: Journal) -> dict[str, dict[str, Any]]:
    """The last recorded version of each row by table and key; None for a deleted one."""
    found: dict[str, dict[str, Any]] = {}
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT kind, payload FROM events_now"
            " WHERE kind IN (SELECT unnest($kinds)) OR kind = 'row.deleted' ORDER BY seq",
            kinds=list(KEYS),
        )
    for kind, text in rows:
        payload = json.loads(text)
        if kind == "row.deleted":
            found.setdefault(payload["table"], {})[_identity(payload)] = None
        else:
            found.setdefault(kind, {})[payload[KEYS[kind]]] = payload
    return found


def _identity(payload: Mapping[str, Any]) -> str:
    identity = payload["identity"]
    return str(identity if isinstance(identity, str) else identity[KEYS[payload["table"]]])


def _quantile(ordered: Sequence[float], p: float) -> float:
    return ordered[min(len(ordered) - 1, int(p * len(ordered)))]


def _memory(lives: Sequence[Memory]) -> str:
    words = f"{max(life.highest_mb for life in lives):.0f} MB at most in {len(lives)} lives"
    oldest = max(lives, key=lambda life: life.age_s)
    if oldest.settled_mb is None or oldest.age_s < _LONG_LIFE_S:
        return words
    grown = oldest.last_mb - oldest.settled_mb
    return f"{words}; the longest, {oldest.age_s / 60:.0f} min, grew by {grown:+.0f} MB"
