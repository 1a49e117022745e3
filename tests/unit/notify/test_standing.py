"""What is watched of an assessment, and that no personal value is in it."""

from __future__ import annotations

from dataclasses import replace

from harness.assessment import Assessment, Evidence
from harness.model import GateStatus, Severity
from harness.notify.ledger import Ledger, observe
from harness.notify.standing import DECISION, JOURNAL, LONGEST, standing_of
from tests.support.assessments import (
    PLANTED_PHONE,
    make_assessment,
    make_empty_assessment,
    make_finding,
    make_gate,
    make_phases,
)
from tests.support.notices import LOOKED_AT


def _with_gate(**changes: object) -> Assessment:
    phase = make_phases()[0]
    gate = make_gate("shadow.complaints", **changes)
    return make_assessment(phases=(replace(phase, gates=(gate,)),))


def _evidence(
    job: str | None, directory: str | None, *, seq: int = 1, detail: str = ""
) -> Evidence:
    return Evidence(job_id=job, directory=directory, detail=detail, seq=seq)


def test_decision_every_gate_and_only_critical_findings_are_watched() -> None:
    assessment = make_assessment()
    standing = standing_of(assessment)
    gates = {f"gate:{g.gate}": g.status.value for phase in assessment.phases for g in phase.gates}
    states = {subject: state.value for subject, state in standing.states.items()}
    assert states == {JOURNAL: "readable", DECISION: "NO-GO", **gates}
    assert set(standing.cases) == {
        f"finding:{f.mode}:{f.id}"
        for f in assessment.findings
        if f.severity is Severity.CRITICAL
    }  # fmt: skip
    assert 0 < len(standing.cases) < len(assessment.findings)
    assert (standing.seq, standing.time_scale) == (4236, 200.0)


def test_every_status_there_is_is_taken_by_its_word() -> None:
    for status in GateStatus:
        standing = standing_of(_with_gate(status=status))
        assert standing.states["gate:shadow.complaints"].value == status.value


def test_a_case_stays_the_same_while_its_seq_and_its_words_move_on() -> None:
    def keys(*evidence: Evidence) -> tuple[str, ...]:
        found = make_finding(evidence=evidence)
        (cases,) = standing_of(make_assessment(findings=(found,))).cases.values()
        return cases.keys

    first = keys(_evidence("j1", "a.example", seq=5, detail="silent for 2 h"))
    assert first == keys(_evidence("j1", "a.example", seq=9, detail="silent for 3 h"))
    assert first != keys(_evidence("j1", "b.example"))
    assert keys(_evidence(None, None), _evidence(None, None)) == (
        "not of one job", "not of one job, no. 2",
    )  # fmt: skip


def test_personal_values_are_masked_wherever_they_stand() -> None:
    raw, other = PLANTED_PHONE
    reason = f"Attested: Ana Ruiz (called {raw} and {other}, wrote to ana@maple.example)"
    gates = _with_gate(reason=f"{reason}. Juniper & Pine Upholstery complains")
    finding = make_finding(evidence=(_evidence("ben@maple.example", "a.example"),))
    assessment = replace(gates, findings=(finding,), reason=f"{raw} says so")
    ledger = observe(Ledger(), standing_of(assessment), LOOKED_AT)
    for secret in (raw, other, "ana@maple.example", "ben@", "Juniper & Pine"):
        assert secret not in repr(ledger)
    assert "[masked]" in repr(ledger)


def test_a_text_is_one_line_without_escape_sequences_and_not_endless() -> None:
    standing = standing_of(_with_gate(reason="a\x1b[31m\nb\t" + "c" * 2000))
    reason = standing.states["gate:shadow.complaints"].reason
    assert reason.startswith("a [31m b cc")
    assert len(reason) == LONGEST


def test_an_empty_journal_has_a_standing_too() -> None:
    standing = standing_of(make_empty_assessment())
    assert standing.states[DECISION].value == "UNDECIDED"
    assert not standing.cases
