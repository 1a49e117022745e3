"""The assessment as a Slack message: a JSON body for an incoming webhook. Pure, sends nothing.

Slack refuses a whole message for one block too many or one text too long, so each is counted here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.assessment import Assessment, GateResult
from harness.gates.shown import decision_line, share, status_line
from harness.gates.wording import counted
from harness.model import GateStatus, Severity
from harness.report import clusters, said
from harness.report.redact import redact
from harness.report.since import Since
from harness.report.since_text import title_of
from harness.report.wording import moment, rehearsal

MOST_BLOCKS = 50
MOST_TEXT = 3000
MOST_HEADER = 150
_LINE = 600
"""A longer line is cut, so that one gate does not push out the others."""
_CLUSTERS = 3
_FINDINGS = 5
_MISSING = 10
_COUNTERFACTUALS = 3
Block = dict[str, Any]


def to_slack(assessment: Assessment, since: Since | None = None) -> str:
    """The message as JSON with a final newline: at most 50 blocks of at most 3,000 characters.

    Decision, gates, what is missing, what costs most; personal values masked. Same assessment,
    same bytes. What does not fit is left out from the end, and the message says so.
    """
    return json.dumps(message(assessment, since), ensure_ascii=False, indent=2) + "\n"


def message(assessment: Assessment, since: Since | None = None) -> dict[str, Any]:
    """What `to_slack` writes, as plain values."""
    shown = redact(assessment)
    title = f"{decision_line(shown.decision)}: shadow comparison"
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:MOST_HEADER]}},
        *_sections("", _head(shown, since)),
    ]
    for phase in shown.phases:
        gates = [_gate(gate) for gate in phase.gates] if phase.decides else [said.later(phase)]
        blocks += _sections(f"{phase.title}: {decision_line(phase.decision)}", gates)
    blocks += _sections("Missing", _cut(said.missing(shown), _MISSING))
    blocks += _sections("Clusters that cost most", list(_clusters(shown)))
    blocks += _sections(
        "What would change the decision", said.counterfactuals(shown, _COUNTERFACTUALS)
    )
    blocks += _sections("Findings", _findings(shown))
    return {
        "text": _short(f"{title}. {escape(shown.reason)}", MOST_TEXT),
        "blocks": [*_fitting(blocks), _context(shown)],
    }


def escape(text: str) -> str:
    """Text of others without meaning to Slack: no mention, no link; on one line."""
    one_line = " ".join(text.split())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _head(shown: Assessment, since: Since | None) -> list[str]:
    agreement = shown.agreement
    lines = [
        shown.reason,
        rehearsal(shown.provenance.time_scale) or "",
        said.attempt(shown),
        f"Agreement {share(agreement.by_job.value)} by job, "
        f"{share(agreement.without_rules.value)} without rules. {said.fresh(agreement)}",
    ]
    if since is not None:
        lines += [title_of(since), *since.why]
    return [line for line in lines if line]


def _gate(gate: GateResult) -> str:
    words = f"{status_line(gate.status)} {gate.title}: {gate.value_text} ({gate.threshold_text})"
    return words if gate.status is GateStatus.PASS else f"{words}. {gate.reason}"


def _clusters(shown: Assessment) -> Iterator[str]:
    for one in shown.clusters[:_CLUSTERS]:
        triaged = f"; triaged as {clusters.triaged(one.triage)}" if one.triage else ""
        yield (
            f"{one.title} ({one.id}, {one.mode}): {clusters.cost(one)}, "
            f"{counted(one.size, 'difference')} in {counted(one.jobs, 'job')}{triaged}"
        )


def _findings(shown: Assessment) -> list[str]:
    worst = [one for one in shown.findings if one.severity is not Severity.INFO]
    lines = [
        f"{one.severity.value}: {one.title} ({one.mode}, {counted(len(one.evidence), 'case')})"
        for one in worst
    ]
    return _cut(lines, _FINDINGS)


def _cut(lines: Sequence[str], most: int) -> list[str]:
    return [*lines[:most], *said.more(len(lines), most)]


def _sections(title: str, lines: Iterable[str]) -> list[Block]:
    """The lines in as few sections as their texts allow; nothing for no line."""
    texts: list[str] = []
    for line in lines:
        row = f"• {_short(escape(line), _LINE)}" if title else _short(escape(line), _LINE)
        if texts and len(texts[-1]) + 1 + len(row) <= MOST_TEXT:
            texts[-1] += f"\n{row}"
        else:
            head = f"*{_short(escape(title), _LINE)}*\n" if title and not texts else ""
            texts.append(f"{head}{row}")
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]


def _short(text: str, most: int) -> str:
    """At most `most` characters of a text that is escaped already; an escape is not cut apart."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    start = kept.rfind("&", len(kept) - 4)
    return f"{kept[:start] if start >= 0 and ';' not in kept[start:] else kept}…"


def _fitting(blocks: list[Block]) -> list[Block]:
    room = MOST_BLOCKS - 1
    if len(blocks) <= room:
        return blocks
    left = len(blocks) - room + 1
    note = f"{counted(left, 'section')} more did not fit; shadow report --format md shows all."
    return [*blocks[: room - 1], *_sections("", [note])]


def _context(shown: Assessment) -> Block:
    made = shown.provenance
    text = (
        f"As of {moment(made.as_of)}, journal {made.journal_id} at seq {made.seq:,}, "
        f"shadow-harness {made.tool_version}"
    )
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": escape(text)}]}
