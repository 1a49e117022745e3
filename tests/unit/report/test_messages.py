"""Slack message and GitHub summary: the limits of both, nothing green that is not, no injection."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.assessment import Assessment
from harness.model import Decision, GateStatus
from harness.report.changes import compare_reports
from harness.report.github import (
    MOST_ANNOTATIONS,
    MOST_BYTES,
    to_github,
    workflow_commands,
)
from harness.report.json_report import to_dict
from harness.report.slack import MOST_BLOCKS, MOST_HEADER, MOST_TEXT, to_slack
from tests.support.assessments import make_assessment, make_empty_assessment, make_gate
from tests.support.decided import make_decided_assessment
from tests.support.random_assessments import random_assessment


def with_gates(*gates: Any, decides: bool = True) -> Assessment:
    week = make_assessment()
    return replace(week, phases=(replace(week.phases[0], gates=gates, decides=decides),))


def texts(message: dict[str, Any]) -> list[str]:
    found = []
    for block in message["blocks"]:
        assert block["type"] in ("header", "section", "context")
        parts = block["elements"] if block["type"] == "context" else [block["text"]]
        for part in parts:
            assert part["type"] == ("plain_text" if block["type"] == "header" else "mrkdwn")
            most = MOST_HEADER if block["type"] == "header" else MOST_TEXT
            assert 1 <= len(part["text"]) <= most
            found.append(part["text"])
    return found


def slack(assessment: Assessment) -> tuple[dict[str, Any], str]:
    message = json.loads(to_slack(assessment))
    assert set(message) == {"text", "blocks"}
    assert len(message["blocks"]) <= MOST_BLOCKS
    assert 1 <= len(message["text"]) <= MOST_TEXT
    return message, "\n".join(texts(message))


def test_the_message_leads_with_the_decision_and_has_every_gate() -> None:
    week = make_decided_assessment()
    message, text = slack(week)
    assert message["blocks"][0]["text"]["text"] == "✕ NO-GO: shadow comparison"
    assert message["text"].startswith("✕ NO-GO: shadow comparison. 2 required gates fail")
    later, deciding = week.phases
    for gate in deciding.gates:
        assert gate.title in text
    assert f"*{later.title}: ✕ NO-GO*" in text
    assert "• shown only, takes no part in the decision: 1 fail, 1 undecided, 1 open" in text
    assert "• Prefect was not recorded" in text
    assert week.clusters[0].id in text
    assert "Lost after its message was taken" in text
    assert "Zero data loss would go from fail to pass" in text
    assert "journal 6f0c2a51b7de at seq 4,236" in text
    assert "! Waived No customer complaints" in text
    assert "The evidence says open" in text


@pytest.mark.parametrize("seed", range(30))
def test_any_content_keeps_to_the_limits(seed: int) -> None:
    slack(random_assessment(seed))


def test_very_many_and_very_long_gates_still_make_one_message() -> None:
    gates = [
        make_gate(f"dual-write.g{n}", title=f"Gate {n} " + "<&>" * 700, status=GateStatus.FAIL)
        for n in range(400)
    ]
    message, text = slack(with_gates(*gates))
    assert len(message["blocks"]) == MOST_BLOCKS
    assert "sections more did not fit" in text
    assert "at seq" in text.splitlines()[-1]


def test_no_text_mentions_a_channel_or_makes_a_link() -> None:
    hostile = "<!channel> <https://evil.example|click> &amp; <@U1>"
    _, text = slack(make_assessment(reason=hostile, missing_parts=(hostile,), decision=Decision.GO))
    assert "<" not in text
    assert "&lt;!channel&gt;" in text
    assert "&amp;amp;" in text


def test_a_cut_text_never_ends_inside_an_escape() -> None:
    for length in range(570, 610):
        _, text = slack(make_assessment(missing_parts=("x" * length + "<" * 40,)))
        line = next(row for row in text.splitlines() if row.startswith("• xxx"))
        assert line.rstrip("…").replace("&lt;", "").strip("• x") == ""


def test_what_changed_is_told_in_both() -> None:
    week = make_assessment()
    before = to_dict(replace(week, decision=Decision.UNDECIDED,
                             provenance=replace(week.provenance, seq=100)))  # fmt: skip
    since = compare_reports(before, to_dict(week))
    assert "moved from UNDECIDED to NO-GO" in to_slack(week, since)
    assert "moved from UNDECIDED to NO-GO" in to_github(week, since)


def test_the_summary_is_markdown_with_what_is_long_folded_away() -> None:
    text = to_github(make_decided_assessment())
    assert text.startswith("## ✕ NO-GO\n\n2 required gates fail")
    assert "| ✕ Fail | Zero data loss |" in text
    assert "### Missing" in text
    assert text.count("<details>") == text.count("</details>") >= 5
    assert text.index("### Missing") < text.index("<details>")
    assert len(text.encode()) < MOST_BYTES


def test_a_summary_that_is_too_long_for_github_is_cut_between_sections() -> None:
    week = make_assessment(missing_parts=tuple(f"part {n} " + "x" * 200 for n in range(6000)))
    text = to_github(week)
    assert len(text.encode()) <= MOST_BYTES
    assert "sections did not fit" in text
    assert "journal 6f0c2a51b7de" in text


def levels(assessment: Assessment) -> list[str]:
    return [line.partition(" ")[0].strip(":") for line in workflow_commands(assessment)]


def test_failing_gates_are_errors_and_what_is_not_settled_is_a_warning() -> None:
    commands = workflow_commands(make_assessment())
    assert commands[0].startswith("::error title=NO-GO::2 required gates fail")
    assert "::error title=Fail%3A Zero data loss (shadow.zero_loss)::2 confirmed" in "\n".join(
        commands
    )
    assert levels(make_assessment()) == ["error"] * 3 + ["warning"] * 4


@pytest.mark.parametrize("status", [s for s in GateStatus if s is not GateStatus.PASS])
def test_what_decides_nothing_is_a_notice_or_silent(status: GateStatus) -> None:
    week = with_gates(make_gate(status=status, required=False))
    assert levels(replace(week, decision=Decision.GO)) == ["notice", "notice"]
    week = with_gates(make_gate(status=status), decides=False)
    assert levels(replace(week, decision=Decision.GO)) == ["notice"]


def test_a_waived_gate_is_a_warning_in_the_words_of_the_waiver() -> None:
    lines = workflow_commands(make_decided_assessment())
    (line,) = (line for line in lines if "Waived%3A" in line)
    assert line.startswith("::warning ")
    assert "Waived by Ana Ruiz" in line
    assert "(202) 555-0123" not in line


def test_an_annotation_is_one_line_and_cannot_begin_another() -> None:
    hostile = "a,b: 100 %\r\n::error title=fake::x"
    gate = make_gate(status=GateStatus.FAIL, title=hostile, reason=hostile, missing=None)
    (_, line) = workflow_commands(with_gates(gate))
    assert line == (
        "::error title=Fail%3A a%2Cb%3A 100 %25%0D%0A%3A%3Aerror title=fake%3A%3Ax "
        "(dual-write.agreement)::a,b: 100 %25%0D%0A::error title=fake::x"
    )


def test_more_annotations_than_github_keeps_are_counted_instead() -> None:
    gates = [make_gate(f"dual-write.g{n}", status=GateStatus.FAIL) for n in range(25)]
    lines = workflow_commands(with_gates(*gates))
    assert len(lines) == MOST_ANNOTATIONS
    assert lines[-1].startswith("::error title=17 more::")


def test_nothing_recorded_is_no_success_anywhere() -> None:
    empty = make_empty_assessment()
    assert "✓" not in to_slack(empty)
    assert "✓" not in to_github(empty)
    assert levels(empty) == ["warning"] * 9
