"""The assessment as a short Markdown text for a chat or a pull request. Opens nothing."""

from __future__ import annotations

import re

from harness.assessment import Assessment, Cluster, Finding, GateResult, PhaseResult, Triage
from harness.gates.shown import decision_line, share, status_line, tally
from harness.gates.wording import counted
from harness.model import GateStatus, Severity
from harness.report import clusters, said, view
from harness.report.redact import redact
from harness.report.since import Since
from harness.report.since_text import blocks_of
from harness.report.wording import (
    interval,
    moment,
    rehearsal,
)

_CLUSTERS = 3
_FINDINGS = 5
_COUNTERFACTUALS = 3
_MARKS = 5
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")
_SPACE = re.compile(r"\s+")
Section = tuple[str, str]
"""A title and its Markdown."""


def to_markdown(assessment: Assessment, since: Since | None = None) -> str:
    """Decision, gates, what is missing, what people said, what costs most, the worst findings.

    Same assessment, same bytes; personal values masked; text of others is escaped.
    """
    shown = redact(assessment)
    blocks = [*head(shown), *gates(shown)]
    blocks += [f"**{title}**\n\n{text}" for title, text in sections(shown, since)]
    blocks.append(f"<sub>{provenance(shown)}</sub>")
    return "\n\n".join(blocks) + "\n"


def head(shown: Assessment) -> list[str]:
    """The decision, why, and what must be said before anything else."""
    blocks = [f"## {decision_line(shown.decision)}", escaped(shown.reason)]
    warning = rehearsal(shown.provenance.time_scale)
    if warning:
        blocks.append(f"> **{escaped(warning)}**")
    if again := said.attempt(shown):
        blocks.append(escaped(again))
    return blocks


def gates(shown: Assessment) -> list[str]:
    """A table for each phase that decides, a line for each other, and what became of every pair."""
    blocks = [_phase(phase) for phase in shown.phases]
    figures = (
        "Intervals hold however often you look. Agreement: "
        f"{share(shown.agreement.by_job.value)} of jobs' submissions, "
        f"{share(shown.agreement.without_rules.value)} without rules."
    )
    if fresh := said.fresh(shown.agreement):
        figures += f" {escaped(fresh)}"
    blocks.append(figures)
    if shown.pairs:
        blocks.append("\n".join(f"- {escaped(tally(counts))}" for counts in shown.pairs))
    return blocks


def sections(shown: Assessment, since: Since | None) -> list[Section]:
    """Everything below the gates; what there is nothing of is left out."""
    found: list[tuple[str, list[str]]] = []
    if since is not None:
        found += [
            (title, [f"- {escaped(line)}" for line in lines]) for title, lines in blocks_of(since)
        ]
    found += [
        ("Missing", [f"- {escaped(part)}" for part in said.missing(shown)]),
        ("Waived, not passed", _waived(shown)),
        ("By stage of traffic", _stages(shown)),
        ("Stated by people", [f"- {escaped(said.statement(one))}" for one in shown.statements]),
        ("Marks", _marks(shown)),
        ("Clusters that cost most", [_cluster(c, shown) for c in shown.clusters[:_CLUSTERS]]),
        (
            "What would change the decision",
            [f"- {escaped(line)}" for line in said.counterfactuals(shown, _COUNTERFACTUALS)],
        ),
        ("Triaged and gone", [_gone(one) for one in shown.triage if one.gone]),
        ("Findings", _findings(shown)),
        ("Would a fault have shown", _calibration(shown)),
    ]
    return [(title, "\n".join(lines)) for title, lines in found if lines]


def provenance(shown: Assessment) -> str:
    """What this was made from, in one line."""
    made = shown.provenance
    phase = f"phase {escaped(made.phase)}, " if made.phase else ""
    return (
        f"As of {moment(made.as_of)}, journal {escaped(made.journal_id)} at seq {made.seq:,}, "
        f"hash {escaped(made.journal_hash[:12])}, {phase}rules {escaped(made.rules_version)}, "
        f"gates {escaped(made.gates_version)}, shadow-harness {escaped(made.tool_version)}."
    )


def escaped(value: str) -> str:
    """Text of others on one line, without meaning to Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", value).strip())


def _phase(phase: PhaseResult) -> str:
    title = f"**{escaped(phase.title)}**: {decision_line(phase.decision)}"
    if not phase.decides:
        return f"{title} ({said.later(phase)})"
    return f"{title}\n\n{_table(phase.gates)}"


def _table(gates: tuple[GateResult, ...]) -> str:
    rows = ["| | gate | value | interval | threshold | evidence |", "|---|---|---|---|---|---|"]
    for gate in gates:
        cells = (
            gate.title if gate.required else f"{gate.title} (not required)",
            gate.value_text,
            interval(gate.interval),
            gate.threshold_text,
            gate.evidence_text,
        )
        status = status_line(gate.status)
        if gate.status is GateStatus.WAIVED and gate.judged:
            status = f"{status} ({status_line(gate.judged)})"
        rows.append(" | ".join([f"| {escaped(status)}", *map(escaped, cells)]) + " |")
    return "\n".join(rows)


def _waived(shown: Assessment) -> list[str]:
    """Every waiver that counts or has expired; those that count say what the evidence says."""
    words = {
        gate.gate: said.judged(gate)
        for phase in shown.phases
        for gate in phase.gates
        if gate.status is GateStatus.WAIVED
    }
    lines = [
        f"- {escaped(one.gate)}: {escaped(said.waiver(one))}. {escaped(words.get(one.gate, ''))}"
        for one in shown.waivers
    ]
    named = {one.gate for one in shown.waivers}
    lines += [f"- {escaped(gate)}: {escaped(text)}" for gate, text in words.items()
              if gate not in named]  # fmt: skip
    return [line.rstrip() for line in lines]


def _stages(shown: Assessment) -> list[str]:
    return [
        f"- {escaped(gate.title)}. {escaped(said.stage(one))}"
        for phase in shown.phases
        for gate in phase.gates
        for one in gate.stages
    ]


def _marks(shown: Assessment) -> list[str]:
    earlier = len(shown.marks) - _MARKS
    lines = [f"- and {earlier:,} earlier"] if earlier > 0 else []
    return [*lines, *(f"- {escaped(said.mark(one))}" for one in shown.marks[-_MARKS:])]


def _cluster(cluster: Cluster, shown: Assessment) -> str:
    parts = [
        f"{clusters.cost(cluster)}",
        f"{counted(cluster.size, 'difference')} ({share(cluster.share)} of "
        f"{escaped(cluster.mode)})",
        clusters.precision(cluster),
        f"{counted(cluster.jobs, 'job')}, "
        f"{counted(cluster.directories, 'directory', 'directories')}",
        f"seen {clusters.seen(cluster)}",
    ]
    if cluster.gates:
        parts.append(f"endangers {escaped(', '.join(cluster.gates))}")
    words = [f"- **{escaped(cluster.title)}** (`{cluster.id}`): {'; '.join(parts)}."]
    if cluster.triage:
        words.append(f"Triaged as {escaped(clusters.triaged(cluster.triage))}.")
    texts = [example.text for example in view.examples(shown)[cluster.id]]
    words.append(f"Such as {escaped('; '.join(texts))}.")
    return " ".join(words)


def _gone(one: Triage) -> str:
    return f"- {escaped(one.description)} (`{one.target}`): {escaped(clusters.triaged(one))}"


def _findings(shown: Assessment) -> list[str]:
    worst = [one for one in shown.findings if one.severity is not Severity.INFO]
    lines = [_finding(one) for one in worst[:_FINDINGS]]
    return lines + [f"- {line}" for line in said.more(len(worst), _FINDINGS)]


def _finding(finding: Finding) -> str:
    return (
        f"- {finding.severity.value}: **{escaped(finding.title)}** "
        f"({counted(len(finding.evidence), 'case')}, {escaped(finding.mode)}). "
        f"{escaped(finding.mend)}"
    )


def _calibration(shown: Assessment) -> list[str]:
    if shown.calibration is None:
        return []
    return [f"- {escaped(line)}" for line in said.calibration(shown.calibration)]
