"""What changed since a former report: exactly what was planted; a wrong file is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from harness.assessment import Assessment
from harness.model import Decision, GateStatus
from harness.report.changes import compare_reports
from harness.report.html import to_html
from harness.report.json_report import to_dict, to_json
from harness.report.markdown import to_markdown
from harness.report.since import ReportError, Since
from harness.report.since_text import blocks_of, lines_of
from tests.support.assessments import AS_OF, make_assessment, make_estimate, make_finding
from tests.support.decided import make_decided_assessment, make_statement, make_waiver
from tests.support.random_assessments import random_assessment

WEEK = make_decided_assessment()


def earlier(week: Assessment = WEEK, **changes: Any) -> Assessment:
    """The same, an hour and 236 events ago, of which 36 were jobs."""
    made = replace(week.provenance, seq=4000, as_of=AS_OF - timedelta(hours=1), journal_hash="x")
    kinds = tuple(
        (kind, count - {"jobs": 36, "queue_history": 200}.get(kind, 0))
        for kind, count in week.recording.by_kind
    )
    recording = replace(week.recording, by_kind=kinds)
    return replace(week, **{"provenance": made, "recording": recording, **changes})


def since(before: Assessment, after: Assessment = WEEK) -> Since:
    return compare_reports(json.loads(to_json(before)), to_dict(after))


def with_gate(week: Assessment, name: str, **changes: Any) -> Assessment:
    phases = tuple(
        replace(
            phase,
            gates=tuple(
                replace(gate, **changes) if gate.gate == name else gate for gate in phase.gates
            ),
        )
        for phase in week.phases
    )
    return replace(week, phases=phases)


@pytest.mark.parametrize("seed", range(15))
def test_a_report_does_not_differ_from_itself(seed: int) -> None:
    report = to_dict(random_assessment(seed))
    found = compare_reports(report, report)
    for part in ("gates", "agreement", "clusters", "findings", "rules", "said", "versions",
                 "missing_new", "missing_gone", "untold"):  # fmt: skip
        assert getattr(found, part) == (), part
    assert found.events.events == 0
    assert found.events.first_seq is None
    assert not found.moved
    assert found.why[-1] == "Nothing has happened since then."


@pytest.mark.parametrize("seed", range(15))
def test_any_two_reports_of_one_journal_can_be_compared_and_shown(seed: int) -> None:
    before, after = random_assessment(seed), random_assessment(seed + 100)
    before = replace(before, provenance=replace(after.provenance, seq=0))
    after = replace(after, provenance=replace(after.provenance, seq=9))
    found = since(before, after)
    assert lines_of(found)
    assert json.loads(to_json(after, found))["since"]["events"]["last_seq"] == 9


def test_which_events_lie_between_is_said_with_their_kinds() -> None:
    events = since(earlier()).events
    assert (events.first_seq, events.last_seq, events.events) == (4001, 4236, 236)
    assert list(events.by_kind.items()) == [("queue_history", 200), ("jobs", 36)]


def test_a_gate_that_moves_the_decision_is_named_with_its_reason() -> None:
    before = with_gate(
        earlier(decision=Decision.UNDECIDED), "shadow.zero_loss",
        status=GateStatus.UNDECIDED, value_text="none so far", reason="Too few jobs.",
    )  # fmt: skip
    found = since(before)
    assert found.moved
    assert found.why[0] == "The decision moved from UNDECIDED to NO-GO."
    assert found.why[1].startswith(
        "Zero data loss (shadow.zero_loss) went from undecided to fail: 2 confirmed cases of loss"
    )
    assert found.why[2] == (
        "Since then: 236 events (seq 4,001 to 4,236): 200 queue_history, 36 jobs."
    )
    (gate,) = found.gates
    assert (gate.change, gate.value_before, gate.value_after) == (
        "changed",
        "none so far",
        "2 lost",
    )
    assert gate.decides


def test_a_gate_of_a_phase_that_has_not_come_yet_moves_nothing() -> None:
    before = with_gate(earlier(), "dual-write.all_processed", status=GateStatus.OPEN)
    found = since(before)
    assert [gate.decides for gate in found.gates] == [False]
    assert not any("all_processed" in line for line in found.why)


def test_gates_come_and_go() -> None:
    before = earlier()
    shadow = before.phases[1]
    gone = replace(shadow.gates[0], gate="shadow.old", title="An older gate")
    before = replace(
        before, phases=(before.phases[0], replace(shadow, gates=(*shadow.gates[1:], gone)))
    )
    found = since(before)
    assert [(g.gate, g.change, g.status_before, g.status_after) for g in found.gates] == [
        ("shadow.p95_latency", "new", None, GateStatus.UNDECIDED),
        ("shadow.old", "gone", GateStatus.UNDECIDED, None),
    ]
    text = "\n".join(lines_of(found))
    assert "new: P95 end-to-end latency (shadow.p95_latency): not there → ~ Undecided" in text
    assert "gone: An older gate (shadow.old): ~ Undecided → gone" in text


def test_agreement_that_moved_is_told_with_its_jobs() -> None:
    agreement = replace(
        WEEK.agreement, by_job=make_estimate(0.9, 0.8, 0.95, n=40), fresh=None, fresh_why=""
    )
    moves = {move.figure: move for move in since(earlier(agreement=agreement)).agreement}
    assert set(moves) == {"by_job", "fresh"}
    assert (moves["by_job"].before, moves["by_job"].after) == (0.9, 0.962)
    assert (moves["by_job"].n_before, moves["by_job"].n_after) == (40, 60)
    assert moves["fresh"].before is None
    assert moves["fresh"].n_before is None


def test_clusters_findings_and_rules_come_go_and_grow() -> None:
    clusters = WEEK.clusters
    before = earlier(
        clusters=(replace(clusters[0], size=1), *clusters[2:], replace(clusters[1], id="gone1234")),
        findings=(*WEEK.findings[1:], make_finding("status_regressed", title="Went back")),
        rules=(replace(WEEK.rules[0], version=7), *WEEK.rules[1:-1]),
    )
    found = since(before)
    assert [(c.id, c.change) for c in found.clusters] == [
        (clusters[0].id, "changed"), (clusters[1].id, "new"), ("gone1234", "gone"),
    ]  # fmt: skip
    assert (found.clusters[0].size_before, found.clusters[0].size_after) == (1, clusters[0].size)
    assert [(f.id, f.change) for f in found.findings] == [
        ("lost_after_trigger", "new"), ("status_regressed", "gone"),
    ]  # fmt: skip
    assert [(r.name, r.change) for r in found.rules] == [
        ("status-words", "changed"), ("url-form", "new"),
    ]  # fmt: skip
    assert "rule status-words has version 1; rule url-form is new" in found.why[-1]


def test_what_people_said_since_and_what_expired_is_told() -> None:
    before = earlier(
        waivers=(make_waiver(seq=90, by="Cy Doe"), replace(WEEK.waivers[1], valid=True)),
        statements=(make_statement(name="taken_back"), WEEK.statements[1]),
        marks=WEEK.marks[:2],
    )
    assert [(s.what, s.name, s.change, s.by) for s in since(before).said] == [
        ("waiver", "shadow.zero_loss", "expired", "Ben Okafor"),
        ("mark", "ramp", "said", "Ana Ruiz"),
        ("statement", "rollback_drill", "said", "Ben Okafor"),
        ("statement", "taken_back", "withdrawn", "Ben Okafor"),
        ("waiver", "shadow.complaints", "said", "Ana Ruiz"),
    ]


def test_other_criteria_are_named_as_a_cause() -> None:
    before = earlier()
    made = replace(before.provenance, rules_version="0 (other)", attempt=1, phase="dual-write")
    found = since(replace(before, provenance=made))
    assert {(v.what, v.before, v.after) for v in found.versions} == {
        ("rules", "0 (other)", "1 (c7a91e04)"), ("attempt", "1", "2"),
        ("phase", "dual-write", "shadow"),
    }  # fmt: skip
    assert "rules 0 (other) became 1 (c7a91e04)" in found.why[-1]


def test_time_alone_is_said_where_nothing_was_journaled() -> None:
    made = replace(WEEK.provenance, as_of=AS_OF - timedelta(days=1))
    found = since(replace(WEEK, provenance=made))
    assert found.why == (
        "The decision is NO-GO, as it was.",
        "Nothing was journaled since then; only time has passed.",
    )


def test_a_report_of_an_older_tool_is_compared_as_far_as_it_tells() -> None:
    old = to_dict(earlier())
    for key in ("waivers", "statements", "marks", "calibration", "counterfactuals", "since"):
        del old[key]
    for gate in old["gates"]:
        for key in ("owner", "when_red", "judged", "waiver", "stages"):
            del gate[key]
    for phase in old["phases"]:
        del phase["decides"]
    for key in ("fresh", "fresh_since", "fresh_why"):
        del old["agreement"][key]
    for key in ("phase", "candidate_version", "version_since", "attempt"):
        del old["provenance"][key]
    found = compare_reports(old, to_dict(WEEK))
    assert found.said == ()
    assert found.agreement == ()
    assert found.versions == ()
    assert set(found.untold) == {
        "waivers", "statements", "marks", "calibration", "counterfactuals",
    }  # fmt: skip


def report(**changes: Any) -> dict[str, Any]:
    made = copy.deepcopy(to_dict(earlier()))
    made["provenance"] |= changes.pop("provenance", {})
    return made | changes


@pytest.mark.parametrize(
    ("former", "words"),
    [
        ({}, "is no report: it has no schema_version and provenance"),
        ([], "is no report"),
        ({"schema_version": 1, "provenance": 3}, "its provenance names no journal_id and seq"),
        ({"schema_version": True, "provenance": {}}, "is no report"),
        (report(schema_version=2), "has schema_version 2; this tool knows 1"),
        (report(provenance={"journal_id": "other"}), "is of journal other, this one is 6f0c2a51"),
        (report(provenance={"seq": 5000}), "speaks of seq 5,000, later than 4,236"),
        (report(provenance={"seq": 4236}), "with another hash"),
        (report(gates=[{"gate": "x"}]), "is no whole report"),
        (report(decision="MAYBE"), "is no whole report"),
        (report(clusters=None), "is no whole report"),
        (report(recording={}), "is no whole report"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(former: Any, words: str) -> None:
    with pytest.raises(ReportError) as caught:
        compare_reports(former, to_dict(WEEK))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_neither_report_is_changed_by_comparing() -> None:
    before, after = to_dict(earlier()), to_dict(WEEK)
    kept = copy.deepcopy((before, after))
    compare_reports(before, after)
    assert (before, after) == kept


def test_page_and_markdown_show_every_line_of_it() -> None:
    found = since(with_gate(earlier(decision=Decision.GO), "shadow.zero_loss",
                            status=GateStatus.PASS))  # fmt: skip
    page = to_html(WEEK, found).replace("&#39;", "'").replace("&gt;", ">")
    text = to_markdown(WEEK, found).replace("\\", "")
    for title, rows in blocks_of(found):
        assert title.removeprefix("What changed: ") in page
        assert title in text
        for row in rows:
            assert row in page
            assert row in text
    assert 'id="since"' not in to_html(WEEK)
    assert "What changed" not in to_markdown(WEEK)


def test_the_former_files_text_is_text_on_the_page() -> None:
    hostile = "<script>alert(1)</script>"
    former = to_dict(earlier())
    former["clusters"].append(former["clusters"][0] | {"id": hostile, "title": hostile})
    former["missing_parts"].append(hostile)
    found = compare_reports(former, to_dict(make_assessment(provenance=WEEK.provenance)))
    assert "<script" not in to_html(WEEK, found)
    assert "<script" not in to_markdown(WEEK, found).replace("\\<", "")
