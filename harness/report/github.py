"""A summary for a GitHub Actions job, and annotations for the gates that do not pass. Pure text.

`harness.report.write` appends the summary to the file that the runner names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.assessment import Assessment
from harness.gates.shown import STATUS_WORDS
from harness.model import Decision, GateStatus
from harness.report import markdown, said
from harness.report.redact import redact
from harness.report.since import Since

MOST_BYTES = 1_000_000
"""GitHub drops a whole step's summary above 1 MiB."""
MOST_ANNOTATIONS = 10
"""GitHub keeps so many errors and so many warnings of a step and drops the others silently."""
_OPEN = ("What changed", "Missing", "Waived, not passed")
"""Sections that are not folded."""


def to_github(assessment: Assessment, since: Since | None = None) -> str:
    """Markdown for ``$GITHUB_STEP_SUMMARY``: like `to_markdown`, with what is long folded away.

    Same assessment, same bytes; personal values masked; at most 1 MB.
    """
    shown = redact(assessment)
    blocks = [*markdown.head(shown), *markdown.gates(shown)]
    for title, text in markdown.sections(shown, since):
        if title.startswith(_OPEN):
            blocks.append(f"### {title}\n\n{text}")
        else:
            blocks.append(f"<details><summary>{title}</summary>\n\n{text}\n\n</details>")
    end = f"<sub>{markdown.provenance(shown)}</sub>\n"
    return "\n\n".join([*_fitting(blocks, MOST_BYTES - len(end.encode()) - 200), end])


def workflow_commands(assessment: Assessment) -> list[str]:
    """Workflow commands, one a line: an error for the decision and each deciding gate that fails,
    a warning for each that is not settled or is waived, a notice for one that is not required.
    Phases that take no part in the decision stay silent.
    """
    shown = redact(assessment)
    errors: list[str] = []
    warnings: list[str] = []
    notices: list[str] = []
    heads = {
        Decision.NO_GO: errors,
        Decision.UNDECIDED: warnings,
        Decision.GO: notices,
    }
    heads[shown.decision].append(
        _command(_level(shown.decision), shown.decision.value, shown.reason)
    )
    for phase in shown.phases:
        for gate in phase.gates if phase.decides else ():
            if gate.status is GateStatus.PASS:
                continue
            text = " ".join(said.gate_lines(gate))
            title = f"{STATUS_WORDS[gate.status]}: {gate.title} ({gate.gate})"
            if not gate.required:
                notices.append(_command("notice", f"{title}, not required", text))
            elif gate.status is GateStatus.FAIL:
                errors.append(_command("error", title, text))
            else:
                warnings.append(_command("warning", title, text))
    return [*_cut(errors, "error"), *_cut(warnings, "warning"), *_cut(notices, "notice")]


def _level(decision: Decision) -> str:
    return {Decision.NO_GO: "error", Decision.UNDECIDED: "warning", Decision.GO: "notice"}[decision]


def _command(level: str, title: str, text: str) -> str:
    return f"::{level} title={_property(title)}::{_data(text)}"


def _data(text: str) -> str:
    """A message: percent signs and line breaks as the runner wants them, nothing else differs."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cut(lines: list[str], level: str) -> Iterable[str]:
    if len(lines) <= MOST_ANNOTATIONS:
        return lines
    left = len(lines) - MOST_ANNOTATIONS + 1
    note = _command(level, f"{left} more", "They are in the summary of the job.")
    return [*lines[: MOST_ANNOTATIONS - 1], note]


def _fitting(blocks: list[str], room: int) -> Iterator[str]:
    for number, block in enumerate(blocks):
        room -= len(block.encode()) + 2
        if room < 0:
            left = len(blocks) - number
            yield f"{left} more sections did not fit; shadow report --format md shows all."
            return
        yield block
