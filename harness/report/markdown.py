"""The assessment as a short Markdown text for a chat or a pull request. Opens nothing."""

from __future__ import annotations

import re

from harness.assessment import Assessment, Cluster, Finding, GateResult, Triage
from harness.gates.shown import decision_line, share, status_line
from harness.gates.wording import counted
from harness.model import Severity
from harness.report import clusters, view
from harness.report.redact import redact
from harness.report.wording import (
    interval,
    moment,
    rehearsal,
)

_CLUSTERS = 3
_FINDINGS = 5
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")
_SPACE = re.compile(r"\s+")


def to_markdown(assessment: Assessment) -> str:
    """Decision, gates, what is missing, the clusters that cost most and the worst findings.

    Same assessment, same bytes; personal values masked; text of others is escaped.
    """
    shown = redact(assessment)
    blocks = [f"## {decision_line(shown.decision)}", _text(shown.reason)]
    warning = rehearsal(shown.provenance.time_scale)
    if warning:
        blocks.append(f"> **{_text(warning)}**")
    for phase in shown.phases:
        blocks.append(
            f"**{_text(phase.title)}**: {decision_line(phase.decision)}\n\n{_table(phase.gates)}"
        )
    blocks.append(
        "Intervals hold however often you look. Agreement: "
        f"{share(shown.agreement.by_job.value)} of jobs' submissions, "
        f"{share(shown.agreement.without_rules.value)} without rules."
    )
    open_parts = [_text(part) for part in shown.missing_parts] + [
        f"{_text(gate.title)}: {_text(gate.missing)}"
        for phase in shown.phases
        for gate in phase.gates
        if gate.missing
    ]
    blocks += _section("Missing", [f"- {part}" for part in open_parts])
    blocks += _section(
        "Clusters that cost most", [_cluster(c, shown) for c in shown.clusters[:_CLUSTERS]]
    )
    blocks += _section("Triaged and gone", [_gone(one) for one in shown.triage if one.gone])
    worst = [f for f in shown.findings if f.severity is not Severity.INFO]
    lines = [_finding(f) for f in worst[:_FINDINGS]]
    if len(worst) > _FINDINGS:
        lines.append(f"- and {len(worst) - _FINDINGS} more")
    blocks += _section("Findings", lines)
    made = shown.provenance
    blocks.append(
        f"<sub>As of {moment(made.as_of)}, journal {_text(made.journal_id)} at seq {made.seq:,}, "
        f"hash {_text(made.journal_hash[:12])}, rules {_text(made.rules_version)}, "
        f"gates {_text(made.gates_version)}, shadow-harness {_text(made.tool_version)}.</sub>"
    )
    return "\n\n".join(blocks) + "\n"


def _table(gates: tuple[GateResult, ...]) -> str:
    rows = ["| | gate | value | interval | threshold | evidence |", "|---|---|---|---|---|---|"]
    for gate in gates:
        cells = (
            gate.title,
            gate.value_text,
            interval(gate.interval),
            gate.threshold_text,
            gate.evidence_text,
        )
        status = status_line(gate.status)
        rows.append(" | ".join([f"| {_text(status)}", *map(_text, cells)]) + " |")
    return "\n".join(rows)


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"**{title}**\n\n" + "\n".join(lines)] if lines else []


def _cluster(cluster: Cluster, shown: Assessment) -> str:
    parts = [
        f"{clusters.cost(cluster)}",
        f"{counted(cluster.size, 'difference')} ({share(cluster.share)} of {_text(cluster.mode)})",
        clusters.precision(cluster),
        f"{counted(cluster.jobs, 'job')}, "
        f"{counted(cluster.directories, 'directory', 'directories')}",
        f"seen {clusters.seen(cluster)}",
    ]
    if cluster.gates:
        parts.append(f"endangers {_text(', '.join(cluster.gates))}")
    words = [f"- **{_text(cluster.title)}** (`{cluster.id}`): {'; '.join(parts)}."]
    if cluster.triage:
        words.append(f"Triaged as {_text(clusters.triaged(cluster.triage))}.")
    texts = [example.text for example in view.examples(shown)[cluster.id]]
    words.append(f"Such as {_text('; '.join(texts))}.")
    return " ".join(words)


def _gone(said: Triage) -> str:
    return f"- {_text(said.description)} (`{said.target}`): {_text(clusters.triaged(said))}"


def _finding(finding: Finding) -> str:
    return (
        f"- {finding.severity.value}: **{_text(finding.title)}** "
        f"({counted(len(finding.evidence), 'case')}, {_text(finding.mode)}). "
        f"{_text(finding.mend)}"
    )


def _text(value: str) -> str:
    """Text of others on one line, without meaning to Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", value).strip())
