"""A target as Markdown and as a command line. Pure; whoever calls masks personal values before."""

from __future__ import annotations

import shlex
from pathlib import Path

from harness.assessment import Assessment, Cluster, Difference, Finding, GateResult
from harness.gates.shown import points, status_line
from harness.tui.actions.port import Target
from harness.tui.wording import day_and_time, kind_words, plain, value_text


def command_line(target: Target | None, journal: Path, *, as_of_seq: int | None) -> str:
    """The command that shows the same, to be pasted into a shell.

    as_of_seq: the moment shown; None while live.
    """
    if isinstance(target, Difference | Cluster):
        words = ["shadow", "diff", target.id]
    elif isinstance(target, Finding):
        words = ["shadow", "findings", "--kind", target.id]
    elif isinstance(target, GateResult):
        words = ["shadow", "report", "--stdout"]
    else:
        words = ["shadow", "watch"]
    words += ["--journal", str(journal)]
    if as_of_seq is not None:
        words += ["--as-of", str(as_of_seq)]
    return shlex.join(words)


def markdown(target: Target | None, assessment: Assessment) -> str:
    """The target in a few lines, with the moment that it stands for."""
    if isinstance(target, Difference):
        lines = _difference(target)
    elif isinstance(target, Cluster):
        lines = _cluster(target)
    elif isinstance(target, Finding):
        lines = _finding(target)
    elif isinstance(target, GateResult):
        lines = _gate(target)
    else:
        lines = [f"**{assessment.decision.value}**: {_escaped(assessment.reason)}"]
    made = assessment.provenance
    return "\n".join([*lines, "", f"_As of {day_and_time(made.as_of)}, seq {made.seq:,}._", ""])


def title_of(target: Target) -> str:
    """The target on one line."""
    if isinstance(target, Difference):
        field = plain(target.field.removeprefix("values."))
        return f"{kind_words(target.kind)}: {field} at {plain(target.directory)}"
    return plain(target.title)


def _difference(one: Difference) -> list[str]:
    return [
        f"**{_escaped(title_of(one))}** (`{one.id}`)",
        "",
        "| | Old (control) | New (candidate) |",
        "|---|---|---|",
        f"| as recorded | {_cell(one.control_raw)} | {_cell(one.candidate_raw)} |",
        f"| after the rules | {_cell(one.control_value)} | {_cell(one.candidate_value)} |",
        "",
        _escaped(one.explanation),
        "",
        f"Job `{plain(one.job_id)}`, {_escaped(one.mode)}"
        + (f", cluster `{one.cluster}`" if one.cluster else "")
        + (f", rules {_escaped(', '.join(one.rules))}" if one.rules else "")
        + (f", labelled {one.triage.label.value} by {_escaped(one.triage.author)}"
           if one.triage else ""),
    ]  # fmt: skip


def _cluster(one: Cluster) -> list[str]:
    said = one.triage
    return [
        f"**{_escaped(one.title)}** (`{one.id}`)",
        "",
        f"- {one.size:,} differences in {one.jobs:,} jobs at {one.directories:,} directories, "
        f"{_escaped(one.mode)}",
        f"- costs {points(one.cost)} of agreement, {100 * one.cost_share:.0f} % of what is lost",
        f"- examples: {', '.join(f'`{each}`' for each in one.examples) or 'none'}",
        *([f"- labelled {said.label.value} by {_escaped(said.author)}: {_escaped(said.reason)}"]
          if said else []),
    ]  # fmt: skip


def _finding(one: Finding) -> list[str]:
    return [
        f"**{_escaped(one.title)}** (`{one.id}`, {one.severity.value}, {_escaped(one.mode)})",
        "",
        _escaped(one.explanation),
        "",
        f"Mend: {_escaped(one.mend)}",
        "",
        f"Evidence: {len(one.evidence):,}",
        *(f"- {_escaped(each.detail)}" for each in one.evidence[:5]),
    ]


def _gate(one: GateResult) -> list[str]:
    return [
        f"**{_escaped(one.title)}** (`{one.gate}`): {status_line(one.status)}",
        "",
        f"- {_escaped(one.value_text)}; required {_escaped(one.threshold_text)}; "
        f"{_escaped(one.evidence_text)}",
        f"- {_escaped(one.reason)}",
        *([f"- to settle it: {_escaped(one.missing)}"] if one.missing else []),
    ]


def _cell(value: str | None) -> str:
    return _escaped(value_text(value)).replace("|", "\\|")


def _escaped(text: str) -> str:
    """Recorded text is shown as it is, never taken for markup."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#" else char for char in plain(text))
