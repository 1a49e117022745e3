"""Compares a report with a former one: what changed, and why the decision moved.

Pure: two reports as JSON knows them in, values out. A former report may be of an older tool that
told less: what it does not tell is named in `Since.untold` and compared with nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from harness.gates.wording import counted
from harness.model import Decision, GateStatus, Severity, require_aware
from harness.report.since import (
    AgreementMove,
    Change,
    ClusterMove,
    EventsBetween,
    FindingMove,
    GateMove,
    ReportError,
    RuleMove,
    Said,
    Since,
    Standing,
    VersionMove,
)

Row = Mapping[str, Any]
Report = Mapping[str, Any]
_ESTIMATES = ("by_job", "by_submission", "without_rules", "with_excluded", "fresh")
_VERSIONS = (
    ("rules_version", "rules"),
    ("gates_version", "gates"),
    ("tool_version", "tool"),
    ("phase", "phase"),
    ("candidate_version", "candidate"),
    ("attempt", "attempt"),
    ("since", "jobs since"),
    ("version_since", "candidate since"),
    ("deadline_s", "deadline"),
    ("time_scale", "speed of time"),
)


def compare_reports(before: Report, after: Report) -> Since:
    """What changed from `before` to `after`, both as ``json_report.to_dict`` makes them.

    Raises ReportError where `before` is no whole report, of a newer schema, of another journal, or
    later than `after`.
    """
    _check(before, after)
    try:
        return _compared(before, after)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReportError(
            f"is no whole report ({type(error).__name__}: {error}). Give a file that shadow "
            "report --format json wrote."
        ) from error


def _check(before: Report, after: Report) -> None:
    mend = "Give a file that shadow report --format json wrote."
    version = before.get("schema_version") if isinstance(before, Mapping) else None
    if not isinstance(version, int) or isinstance(version, bool) or "provenance" not in before:
        raise ReportError(f"is no report: it has no schema_version and provenance. {mend}")
    if version > after["schema_version"]:
        raise ReportError(
            f"has schema_version {version}; this tool knows {after['schema_version']}. Use the "
            "newer shadow-harness that wrote it."
        )
    made, now = before["provenance"], after["provenance"]
    told = made.get("journal_id") if isinstance(made, Mapping) else None
    seq = made.get("seq") if isinstance(made, Mapping) else None
    if not isinstance(told, str) or not isinstance(seq, int):
        raise ReportError(f"is no report: its provenance names no journal_id and seq. {mend}")
    if told != now["journal_id"]:
        raise ReportError(
            f"is of journal {told}, this one is {now['journal_id']}. Give a former report of the "
            "same journal."
        )
    if seq > now["seq"]:
        raise ReportError(
            f"speaks of seq {seq:,}, later than {now['seq']:,}, which is asked about. Give the "
            "earlier report, or a later --as-of."
        )
    if seq == now["seq"] and made.get("journal_hash") != now["journal_hash"]:
        raise ReportError(
            f"is of the same journal and seq {seq:,} with another hash: one of the two files is "
            "not the record that it was. Run shadow journal verify."
        )


def _compared(before: Report, after: Report) -> Since:
    gates = _gates(before, after)
    events = _events(before, after)
    versions = _versions(before["provenance"], after["provenance"])
    said = _said(before, after)
    rules = tuple(_rules(before, after))
    was, now = _standing(before), _standing(after)
    missing = list(before["missing_parts"]), list(after["missing_parts"])
    return Since(
        before=was,
        after=now,
        why=tuple(_why(was, now, gates, events, versions, said, rules)),
        events=events,
        versions=versions,
        gates=gates,
        agreement=tuple(_agreement(before["agreement"], after["agreement"])),
        clusters=tuple(_clusters(before, after)),
        findings=tuple(_findings(before, after)),
        rules=rules,
        said=said,
        missing_new=tuple(part for part in missing[1] if part not in missing[0]),
        missing_gone=tuple(part for part in missing[0] if part not in missing[1]),
        untold=tuple(key for key in after if key not in before and key != "since"),
    )


def _standing(report: Report) -> Standing:
    made = report["provenance"]
    return Standing(
        decision=Decision(report["decision"]),
        reason=str(report["reason"]),
        seq=int(made["seq"]),
        as_of=require_aware("as_of", datetime.fromisoformat(made["as_of"])),
    )


def _events(before: Report, after: Report) -> EventsBetween:
    first, last = int(before["provenance"]["seq"]), int(after["provenance"]["seq"])
    was, now = before["recording"]["by_kind"], after["recording"]["by_kind"]
    counts = {kind: int(number) - int(was.get(kind, 0)) for kind, number in now.items()}
    more = sorted((-number, kind) for kind, number in counts.items() if number > 0)

    def grown(key: str) -> int:
        return int(after["coverage"][key]) - int(before["coverage"][key])

    return EventsBetween(
        first_seq=first + 1 if last > first else None,
        last_seq=last,
        events=last - first,
        by_kind={kind: -number for number, kind in more},
        jobs=grown("jobs"),
        jobs_compared=grown("jobs_compared"),
        submissions_compared=grown("submissions_compared"),
    )


def _versions(before: Report, after: Report) -> tuple[VersionMove, ...]:
    def text(value: Any) -> str | None:
        return None if value in (None, "") else str(value)

    return tuple(
        VersionMove(what=what, before=text(before[key]), after=text(after[key]))
        for key, what in _VERSIONS
        if key in before and key in after and before[key] != after[key]
    )


def _by(rows: Iterable[Row], *keys: str) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[key] for key in keys): row for row in rows}


def _pairs(
    before: Report, after: Report, part: str, *keys: str
) -> Iterator[tuple[Row | None, Row | None, Row]]:
    """Rows of both reports side by side and the one to show, in the order of the new report; then
    those that are gone."""
    was, now = _by(before[part], *keys), _by(after[part], *keys)
    for key, row in now.items():
        yield was.get(key), row, row
    for key, row in was.items():
        if key not in now:
            yield row, None, row


def _change(old: object | None, new: object | None) -> Change:
    if old is None:
        return "new"
    return "gone" if new is None else "changed"


def _gates(before: Report, after: Report) -> tuple[GateMove, ...]:
    deciding = {
        phase["phase"]: phase.get("decides", True)
        for report in (before, after)
        for phase in report["phases"]
    }
    moves = []
    for old, new, shown in _pairs(before, after, "gates", "gate"):
        if old and new and _seen(old) == _seen(new):
            continue
        moves.append(
            GateMove(
                gate=shown["gate"],
                phase=shown["phase"],
                title=shown["title"],
                change=_change(old, new),
                status_before=GateStatus(old["status"]) if old else None,
                status_after=GateStatus(new["status"]) if new else None,
                value_before=old["value_text"] if old else None,
                value_after=new["value_text"] if new else None,
                reason=shown["reason"],
                decides=bool(shown["required"] and deciding.get(shown["phase"], True)),
            )
        )
    # Those that changed their status are what a reader looks for.
    return tuple(sorted(moves, key=lambda m: (m.status_before is m.status_after, not m.decides)))


def _seen(gate: Row) -> tuple[Any, ...]:
    return gate["status"], gate["value_text"], gate.get("judged"), gate["threshold"]


def _agreement(before: Row, after: Row) -> Iterator[AgreementMove]:
    for figure in _ESTIMATES:
        old, new = before.get(figure), after.get(figure)
        shown = new or old
        if figure not in before or shown is None:
            continue
        was, now = ((one["value"], one["n"]) if one else (None, None) for one in (old, new))
        if was != now:
            yield AgreementMove(
                figure=figure,
                before=was[0],
                after=now[0],
                n_before=was[1],
                n_after=now[1],
                unit=str(shown["unit"]),
            )


def _clusters(before: Report, after: Report) -> Iterator[ClusterMove]:
    for old, new, shown in _pairs(before, after, "clusters", "id"):
        sizes = [one["size"] if one else 0 for one in (old, new)]
        if old and new and sizes[0] == sizes[1]:
            continue
        yield ClusterMove(
            id=shown["id"],
            title=shown["title"],
            mode=shown["mode"],
            change=_change(old, new),
            size_before=sizes[0],
            size_after=sizes[1],
            cost_before=old["cost"] if old else 0.0,
            cost_after=new["cost"] if new else 0.0,
        )


def _findings(before: Report, after: Report) -> Iterator[FindingMove]:
    for old, new, shown in _pairs(before, after, "findings", "id", "mode"):
        cases = [len(one["evidence"]) if one else 0 for one in (old, new)]
        if old and new and cases[0] == cases[1]:
            continue
        yield FindingMove(
            id=shown["id"],
            title=shown["title"],
            mode=shown["mode"],
            severity=Severity(shown["severity"]),
            change=_change(old, new),
            cases_before=cases[0],
            cases_after=cases[1],
        )


def _rules(before: Report, after: Report) -> Iterator[RuleMove]:
    for old, new, shown in _pairs(before, after, "rules", "name"):
        versions = [one["version"] if one else None for one in (old, new)]
        hidden = [one["hidden"] if one else 0 for one in (old, new)]
        if old and new and versions[0] == versions[1] and hidden[0] == hidden[1]:
            continue
        yield RuleMove(
            name=shown["name"],
            change=_change(old, new),
            version_before=versions[0],
            version_after=versions[1],
            hidden_before=hidden[0],
            hidden_after=hidden[1],
        )


def _said(before: Report, after: Report) -> tuple[Said, ...]:
    found = [
        *_given(before, after, "waivers", "waiver", "gate", "reason"),
        *_given(before, after, "statements", "statement", "name", "note"),
        *_given(before, after, "marks", "mark", "seq", "note"),
        *_given(before, after, "triage", "triage", "target", "reason"),
    ]
    return tuple(sorted(found, key=lambda one: (one.seq, one.what, one.name)))


def _given(
    before: Report,
    after: Report,
    part: str,
    what: Literal["waiver", "statement", "mark", "triage"],
    key: str,
    words: str,
) -> Iterator[Said]:
    if part not in before:
        return
    for old, new, shown in _pairs(before, after, part, key):
        change: Literal["said", "expired", "withdrawn"]
        if new is None:
            change = "withdrawn"
        elif old is None or old["seq"] != new["seq"]:
            change = "said"
        elif old.get("valid", True) and not new.get("valid", True):
            change = "expired"
        else:
            continue
        yield Said(
            what=what,
            name=str(shown["what"] if what == "mark" else shown[key]),
            change=change,
            by=str(shown.get("by", shown.get("author", ""))),
            text=_words(what, shown, words),
            seq=int(shown["seq"]),
        )


def _words(what: str, row: Row, words: str) -> str:
    """What was said, with the part that decides in front of the free words."""
    first = ""
    if what == "mark":
        first = row["value"]
    elif what == "triage":
        first = row["label"]
    elif what == "statement":
        first = "holds" if row["holds"] else "does not hold"
    return ": ".join(str(part) for part in (first, row[words]) if part)


def _why(
    was: Standing,
    now: Standing,
    gates: tuple[GateMove, ...],
    events: EventsBetween,
    versions: tuple[VersionMove, ...],
    said: tuple[Said, ...],
    rules: tuple[RuleMove, ...],
) -> Iterator[str]:
    """What a person is told first. Which gate moved is certain; what moved it is not guessed:
    everything that may have is named."""
    if was.decision is now.decision:
        yield f"The decision is {now.decision.value}, as it was."
    else:
        yield f"The decision moved from {was.decision.value} to {now.decision.value}."
    moved = [gate for gate in gates if gate.decides and gate.status_before != gate.status_after]
    for gate in moved:
        before = gate.status_before.value if gate.status_before else "not there"
        after = gate.status_after.value if gate.status_after else "gone"
        yield f"{gate.title} ({gate.gate}) went from {before} to {after}: {gate.reason}"
    if was.decision is not now.decision and not moved:
        yield "No deciding gate changed its status: other gates or phases decide now."
    causes = list(_causes(events, versions, said, rules))
    if causes:
        yield f"Since then: {'; '.join(causes)}."
    elif was.as_of != now.as_of:
        yield "Nothing was journaled since then; only time has passed."
    else:
        yield "Nothing has happened since then."


def _causes(
    events: EventsBetween,
    versions: tuple[VersionMove, ...],
    said: tuple[Said, ...],
    rules: tuple[RuleMove, ...],
) -> Iterator[str]:
    if events.events:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in events.by_kind.items())
        jobs = f"; {events.jobs:+,} jobs that count" if events.jobs else ""
        yield (
            f"{counted(events.events, 'event')} (seq {events.first_seq:,} to {events.last_seq:,})"
            f"{': ' if kinds else ''}{kinds}{jobs}"
        )
    for move in versions:
        yield f"{move.what} {move.before or 'none'} became {move.after or 'none'}"
    for rule in rules:
        if rule.change != "changed":
            yield f"rule {rule.name} is {rule.change}"
        elif rule.version_before != rule.version_after:
            yield f"rule {rule.name} has version {rule.version_after}"
    for one in said:
        change = "" if one.change == "said" else f" {one.change}"
        yield f"{one.what} {one.name} by {one.by}{change}"
