"""The gates as JUnit XML, so that any CI shows each of them as a test. Pure text.

Red if and only if the decision is not GO: a gate that fails, lacks evidence or is not settled is a
failure; what takes no part in the decision is never one. A waived gate is skipped, never passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from harness.assessment import Assessment, GateResult, PhaseResult
from harness.gates.shown import STATUS_WORDS
from harness.model import Decision, GateStatus
from harness.report.json_report import iso_utc
from harness.report.redact import redact
from harness.report.said import attempt, gate_lines
from harness.report.wording import interval

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: control characters and lone surrogates."""
_HOST = "shadow-harness"
"""Where it ran is not part of the assessment; the schema wants a name."""


def to_junit(assessment: Assessment) -> str:
    """JUnit XML with a suite for each phase and one for the decision; personal values masked.

    Same assessment, same bytes. The timestamp is the moment looked at, times taken are 0.
    """
    shown = redact(assessment)
    root = ET.Element("testsuites")
    _suite(root, "decision", [_decision(shown)], shown)
    for phase in shown.phases:
        cases = [_case(gate, phase) for gate in phase.gates]
        _suite(root, f"{phase.phase}: {phase.title}", cases, shown)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(root: ET.Element, name: str, cases: list[ET.Element], shown: Assessment) -> None:
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "id": str(len(root)),
            "package": "shadow",
            "name": clean(name),
            # The schema knows no zone.
            "timestamp": iso_utc(shown.provenance.as_of)[:19],
            "hostname": _HOST,
            "tests": str(len(cases)),
            "failures": str(sum(case.find("failure") is not None for case in cases)),
            "errors": "0",
            "skipped": str(sum(case.find("skipped") is not None for case in cases)),
            "time": "0",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in _provenance(shown):
        ET.SubElement(properties, "property", {"name": key, "value": clean(value)})
    suite.extend(cases)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")


def _decision(shown: Assessment) -> ET.Element:
    case = _named("decision", "shadow")
    if shown.decision is not Decision.GO:
        lines = (shown.reason, attempt(shown), *shown.missing_parts)
        _told(case, "failure", shown.decision.value, shown.reason, lines)
    return case


def _case(gate: GateResult, phase: PhaseResult) -> ET.Element:
    case = _named(f"{gate.title} [{gate.gate}]", f"shadow.{phase.phase}")
    if gate.status is GateStatus.PASS:
        return case
    word = STATUS_WORDS[gate.status]
    if gate.status is GateStatus.WAIVED:
        _told(case, "skipped", None, f"Waived, not passed: {gate.reason}", ())
    elif not phase.decides:
        words = f"{word}, and the phase takes no part in the decision: {gate.reason}"
        _told(case, "skipped", None, words, ())
    elif not gate.required:
        _told(case, "skipped", None, f"{word}, and not required: {gate.reason}", ())
    else:
        lines = (
            f"{word}: {gate.value_text}, required: {gate.threshold_text}; "
            f"interval {interval(gate.interval)}; {gate.evidence_text}",
            *gate_lines(gate),
        )
        _told(case, "failure", gate.status.value, f"{word}: {gate.reason}", lines)
    return case


def _named(name: str, classname: str) -> ET.Element:
    return ET.Element("testcase", {"name": clean(name), "classname": clean(classname), "time": "0"})


def _told(case: ET.Element, tag: str, kind: str | None, message: str, lines: Iterable[str]) -> None:
    part = ET.SubElement(case, tag, {"message": clean(message)})
    if kind is not None:
        part.set("type", kind)
    part.text = clean("\n".join(line for line in lines if line)) or None


def _provenance(shown: Assessment) -> Iterable[tuple[str, str]]:
    made = shown.provenance
    yield "decision", shown.decision.value
    yield "journal", made.journal_id
    yield "seq", str(made.seq)
    yield "as_of", iso_utc(made.as_of)
    yield "journal_hash", made.journal_hash
    yield "rules_version", made.rules_version
    yield "gates_version", made.gates_version
    yield "tool_version", made.tool_version
    yield "phase", made.phase
    yield "candidate_version", made.candidate_version or ""
    yield "attempt", str(made.attempt)
    yield "time_scale", f"{made.time_scale:g}"


def clean(text: str) -> str:
    """`text` with what XML cannot hold shown as the sign for an unknown character."""
    return _FORBIDDEN.sub("\ufffd", text)
