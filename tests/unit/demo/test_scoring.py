"""Marking a rehearsal: found by kind and place, and everything else is a false alarm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.assessment import Assessment, Difference, Evidence, Finding
from harness.demo.scoring import claims_of, score
from harness.demo.script import Planted
from harness.model import Severity
from tests.support.assessments import make_assessment, make_difference, make_finding
from tests.support.differences import job_id

HOST = "quillfinder.example"


def assessment(*differences: Difference, findings: tuple[Finding, ...] = ()) -> Assessment:
    return replace(make_assessment(), differences=differences, findings=findings)


def fault(kind: str = "candidate_failed", **changes: Any) -> Planted:
    values: dict[str, Any] = {
        "id": "x", "kind": kind, "job": 2, "job_id": job_id(2), "directory": HOST,
        "found_by": "live",
    }  # fmt: skip
    return Planted(**{**values, **changes})


def test_a_fault_is_found_by_a_claim_of_its_kind_at_its_place() -> None:
    result = score(assessment(make_difference()), [fault()], replayed=True)
    assert (result.planted, result.found, result.perfect) == (1, 1, True)


def test_a_claim_of_another_kind_at_its_place_neither_finds_it_nor_is_false() -> None:
    result = score(assessment(make_difference()), [fault("captcha")], replayed=True)
    assert (result.found, result.false_alarms) == (0, ())
    assert [missed.id for missed in result.missed] == ["x"]
    assert not result.perfect


def test_a_claim_where_nothing_is_planted_is_a_false_alarm() -> None:
    elsewhere = make_difference(number=3)
    result = score(assessment(make_difference(), elsewhere), [fault()], replayed=True)
    assert result.found == 1
    assert [claim.job_id for claim in result.false_alarms] == [job_id(3)]
    assert not result.perfect


def test_a_claim_about_the_whole_job_is_no_consequence_of_a_fault_at_one_directory() -> None:
    finding = make_finding("never_enqueued", evidence=(_evidence(None),))
    result = score(assessment(make_difference(), findings=(finding,)), [fault()], replayed=True)
    assert [claim.kind for claim in result.false_alarms] == ["never_enqueued"]


def test_a_fault_of_the_whole_job_explains_every_difference_in_it() -> None:
    finding = make_finding("never_enqueued", evidence=(_evidence(None),))
    lost = fault("never_enqueued", directory=None)
    result = score(assessment(make_difference(), findings=(finding,)), [lost], replayed=True)
    assert result.perfect


def test_what_is_only_for_information_is_no_claim() -> None:
    finding = make_finding(severity=Severity.INFO)
    assert claims_of(assessment(findings=(finding,))) == ()


def test_a_fault_that_only_a_replay_shows_is_not_expected_without_one() -> None:
    hidden = fault("false_success", found_by="replay")
    live = make_difference("control_failed")
    assert score(assessment(live), [hidden], replayed=False).planted == 0
    with_replay = score(assessment(live), [hidden], replayed=True)
    assert (with_replay.planted, with_replay.found, with_replay.false_alarms) == (1, 0, ())


def test_a_live_claim_does_not_find_what_a_replay_must_show() -> None:
    finding = make_finding("false_success", evidence=(_evidence(HOST),))
    hidden = fault("false_success", found_by="replay")
    result = score(assessment(findings=(replace(finding, mode="live"),)), [hidden], replayed=True)
    assert result.found == 0
    result = score(assessment(findings=(replace(finding, mode="demo"),)), [hidden], replayed=True)
    assert result.found == 1


def _evidence(directory: str | None) -> Evidence:
    return Evidence(job_id=job_id(2), directory=directory, detail="", seq=1)
