"""JUnit XML: the shape that CI systems read, red whenever the decision is not GO."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from harness.assessment import Assessment, GateResult, PhaseResult
from harness.model import Decision, GateStatus
from harness.report.junit import clean, to_junit
from tests.support.assessments import make_assessment, make_empty_assessment, make_gate
from tests.support.decided import WAIVED, make_decided_assessment
from tests.support.random_assessments import random_assessment

# The common schema of Ant's JUnit task, which Jenkins, GitLab, Azure and others read: what each
# element may carry, and its children in their order.
SHAPE: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": (set(), set()),
    "testsuite": (
        {"id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "time"},
        {"skipped"},
    ),
    "properties": (set(), set()),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, set()),
    "failure": ({"type", "message"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
    "system-err": (set(), set()),
}
CHILDREN = {
    "testsuites": r"(testsuite )*",
    "testsuite": r"properties (testcase )*system-out system-err ",
    "properties": r"(property )*",
    "testcase": r"((skipped|failure) )?",
}


def check_shape(root: ET.Element) -> None:
    assert root.tag == "testsuites"
    for element in root.iter():
        must, may = SHAPE[element.tag]
        assert must <= set(element.attrib) <= must | may, element.tag
        order = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CHILDREN.get(element.tag, ""), order), (element.tag, order)
    for number, suite in enumerate(root):
        assert suite.get("id") == str(number)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for tag, count in (("failure", "failures"), ("skipped", "skipped"), ("error", "errors")):
            assert suite.get(count) == str(len(suite.findall(f"testcase/{tag}")))


def read(assessment: Assessment) -> ET.Element:
    root = ET.fromstring(to_junit(assessment))
    check_shape(root)
    return root


def cases(root: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    for case in root.iter("testcase"):
        yield case.get("name", ""), case


def of(gate: GateResult, *, decides: bool = True) -> ET.Element:
    """The test case of one gate."""
    week = make_assessment()
    phase = replace(week.phases[0], gates=(gate,), decides=decides)
    root = read(replace(week, phases=(phase,)))
    return next(case for name, case in cases(root) if name.endswith(f"[{gate.gate}]"))


@pytest.mark.parametrize("make", [make_assessment, make_empty_assessment, make_decided_assessment])
def test_a_suite_for_each_phase_and_one_for_the_decision_in_the_common_shape(make) -> None:  # type: ignore[no-untyped-def]
    week: Assessment = make()
    root = read(week)
    names = [suite.get("name") for suite in root]
    assert names == ["decision", *(f"{phase.phase}: {phase.title}" for phase in week.phases)]
    found = {name for name, _ in cases(root)}
    assert found == {
        "decision",
        *(f"{gate.title} [{gate.gate}]" for phase in week.phases for gate in phase.gates),
    }


@pytest.mark.parametrize("seed", range(20))
def test_any_content_is_well_formed_and_keeps_the_shape(seed: int) -> None:
    read(random_assessment(seed))


@pytest.mark.parametrize("status", [GateStatus.FAIL, GateStatus.UNDECIDED, GateStatus.OPEN])
def test_what_is_not_passed_is_a_failure_with_reason_and_mend(status: GateStatus) -> None:
    gate = make_gate(status=status, when_red="Keep the old poller on.", owner="operations")
    failure = of(gate).find("failure")
    assert failure is not None
    assert failure.get("type") == status.value
    assert gate.reason in failure.get("message", "")
    for words in (gate.value_text, gate.threshold_text, gate.evidence_text, gate.missing or "",
                  "When it fails: Keep the old poller on.", "Owner: operations"):  # fmt: skip
        assert words in (failure.text or "")


def test_a_passing_gate_is_a_test_without_a_word() -> None:
    assert list(of(make_gate(status=GateStatus.PASS, when_red="Do this."))) == []


def test_a_waived_gate_is_skipped_with_the_words_of_the_waiver() -> None:
    week = make_decided_assessment()
    (skipped,) = next(case for name, case in cases(read(week)) if WAIVED in name)
    assert skipped.tag == "skipped"
    message = skipped.get("message", "")
    assert message.startswith("Waived, not passed: Waived by Ana Ruiz until 26 November 2026")
    assert "The evidence says open: " in message
    assert "(202) 555-0123" not in message


@pytest.mark.parametrize("status", [s for s in GateStatus if s is not GateStatus.PASS])
def test_what_decides_nothing_is_skipped_and_says_what_it_shows(status: GateStatus) -> None:
    for case in (
        of(make_gate(status=status, required=False)),
        of(make_gate(status=status), decides=False),
    ):
        (part,) = case
        assert part.tag == "skipped"
        assert status.value in part.get("message", "").lower()


@pytest.mark.parametrize("decision", list(Decision))
def test_the_decision_itself_is_a_test(decision: Decision) -> None:
    phases: tuple[PhaseResult, ...] = ()
    root = read(make_assessment(decision=decision, phases=phases))
    failures = list(root.iter("failure"))
    assert [one.get("type") for one in failures] == (
        [] if decision is Decision.GO else [decision.value]
    )


def test_provenance_stands_in_every_suite() -> None:
    week = make_decided_assessment()
    for suite in read(week):
        said = {one.get("name"): one.get("value") for one in suite.iter("property")}
        assert said["journal_hash"] == week.provenance.journal_hash
        assert said["seq"] == "4236"
        assert said["as_of"] == "2026-11-23T08:30:00.000000Z"
        assert said["candidate_version"] == "worker 1.4.2"
        assert said["decision"] == "NO-GO"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x00\x08", "\ufffd[31mred\ufffd\ufffd"),
        ("\ud800\ufffe\uffff", "\ufffd\ufffd\ufffd"),
        ("tab\tand 漢字 and 😀", "tab\tand 漢字 and 😀"),
    ],
)
def test_what_xml_cannot_hold_is_shown_as_unknown(raw: str, shown: str) -> None:
    assert clean(raw) == shown
    part = of(make_gate(status=GateStatus.FAIL, reason=raw)).find("failure")
    assert part is not None
    assert shown.strip() in (part.text or "")


def test_text_of_others_is_no_markup() -> None:
    hostile = '</failure><testcase name="fake"/>]]> <![CDATA[ & "\''
    gate = make_gate(status=GateStatus.FAIL, title=hostile, reason=hostile)
    case = of(gate)
    assert case.get("name") == f"{hostile} [{gate.gate}]"
    part = case.find("failure")
    assert part is not None
    assert hostile in (part.text or "")
