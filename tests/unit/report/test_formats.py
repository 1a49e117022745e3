"""The report's formats: same bytes, the JSON contract, escaping, words for what is absent."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from harness.assessment import Assessment
from harness.model import Decision, GateStatus
from harness.report.html import to_html
from harness.report.json_report import SCHEMA_VERSION, to_dict, to_json
from harness.report.markdown import to_markdown
from harness.report.write import FORMATS
from tests.support.assessments import (
    make_assessment,
    make_difference,
    make_empty_assessment,
    make_estimate,
    make_finding,
    make_gate,
    make_provenance,
    make_replay,
)
from tests.support.decided import (
    WAIVED_PHONE,
    make_calibration,
    make_decided_assessment,
    make_statement,
)
from tests.support.random_assessments import random_assessment

RENDERERS = tuple(FORMATS.values())
CONTRACT = [
    "schema_version", "decision", "reason", "phases", "gates", "agreement", "latency",
    "differences", "clusters", "findings", "coverage", "pairs", "beside", "rules", "replays",
    "recording", "missing_parts", "triage", "statements", "waivers", "marks", "counterfactuals",
    "calibration", "breakdown", "operations", "provenance", "since",
]  # fmt: skip
HOSTILE = "<script>alert('x')</script> | `y` [z](javascript:1) {{ 7 * 7 }}"


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("make", [make_assessment, make_empty_assessment, make_decided_assessment])
def test_same_assessment_gives_same_bytes(
    render: Callable[[Assessment], str], make: Callable[[], Assessment]
) -> None:
    assert render(make()).encode() == render(make()).encode()


def test_another_process_with_another_hash_seed_gives_same_bytes() -> None:
    code = (
        "import hashlib;from tests.support.assessments import make_assessment as m;"
        "from harness.report.write import FORMATS;"
        "print([hashlib.sha256(f(m()).encode()).hexdigest() for f in FORMATS.values()])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ".", "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(outputs) == 1


def test_json_has_the_keys_that_scripts_rely_on() -> None:
    report = json.loads(to_json(make_assessment()))
    assert list(report) == CONTRACT
    assert report["schema_version"] == SCHEMA_VERSION == 1
    assert report["decision"] == "NO-GO"
    assert len(report["gates"]) == 8
    assert {gate["phase"] for gate in report["gates"]} == {"dual-write", "shadow"}
    assert [g for phase in report["phases"] for g in phase["gates"]] == [
        gate["gate"] for gate in report["gates"]
    ]
    gate = next(gate for gate in report["gates"] if gate["gate"] == "dual-write.agreement")
    assert gate["status"] == "undecided"
    assert gate["interval"]["kind"] == "headline"
    assert gate["interval"]["low"] == 0.9021
    assert report["agreement"]["verdicts"]["agree"] == 400
    assert report["coverage"]["replay_excluded"] == {
        "environment unknown": 12,
        "no plan recorded": 3,
    }
    assert report["provenance"]["as_of"] == "2026-11-23T08:30:00.000000Z"


def test_json_writes_times_in_utc_whatever_their_zone() -> None:
    tokyo = datetime(2026, 11, 23, 17, 30, tzinfo=timezone(timedelta(hours=9)))
    report = to_dict(make_assessment(provenance=make_provenance(as_of=tokyo)))
    assert report["provenance"]["as_of"] == "2026-11-23T08:30:00.000000Z"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_format_breaks_on_numbers_that_are_none(bad: float) -> None:
    base = make_assessment()
    latency = replace(base.latency[0], control=tuple(
        replace(q, high_s=bad, label_high_s=bad) for q in base.latency[0].control
    ))  # fmt: skip
    gate = make_gate(value=bad)
    assessment = replace(
        base,
        latency=(latency,),
        agreement=replace(base.agreement, by_job=make_estimate(bad, 0.0, 1.0)),
        phases=(replace(base.phases[0], gates=(gate,)),),
    )

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    report = json.loads(to_json(assessment), parse_constant=refuse)
    assert report["gates"][0]["value"] is None
    assert report["latency"][0]["control"][0]["high_s"] is None
    for render in (to_html, to_markdown):
        text = render(assessment).lower()
        assert "nan %" not in text
        assert "inf " not in text


def test_hostile_text_is_text_in_every_place_of_the_page() -> None:
    base = make_assessment(reason=HOSTILE, missing_parts=(HOSTILE,))
    assessment = replace(
        base,
        phases=(
            replace(
                base.phases[0],
                title=HOSTILE,
                gates=(make_gate(title=HOSTILE, reason=HOSTILE, missing=HOSTILE),),
            ),
        ),
        differences=(
            make_difference(
                directory=HOSTILE, explanation=HOSTILE, control_raw=HOSTILE, control_value=HOSTILE
            ),
        ),
        clusters=(replace(base.clusters[0], title=HOSTILE),),
        findings=(make_finding(title=HOSTILE, mend=HOSTILE),),
        latency=(replace(base.latency[0], title=HOSTILE),),
        replays=(make_replay(run=HOSTILE, worker=HOSTILE),),
        recording=replace(base.recording, gaps=(HOSTILE,), workers=(HOSTILE,)),
        provenance=make_provenance(journal_id=HOSTILE),
    )
    page = to_html(assessment)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "49" not in page.partition("<title>")[2].partition("</title>")[0]
    markdown = to_markdown(assessment)
    assert "<script" not in markdown.replace("\\<", "")
    assert "[z](" not in markdown


def test_markdown_tables_keep_their_columns_whatever_the_text() -> None:
    base = make_assessment()
    gate = make_gate(title="a | b\nc", value_text="1 | 2")
    text = to_markdown(replace(base, phases=(replace(base.phases[0], gates=(gate,)),)))
    row = next(line for line in text.splitlines() if "a \\| b c" in line)
    assert row.replace("\\|", "").count("|") == 7


def test_markdown_is_short_and_leads_with_the_decision() -> None:
    text = to_markdown(make_assessment())
    assert text.startswith("## ✕ NO-GO\n\n2 required gates fail")
    assert "Rehearsal at 200 times" in text
    for phase in make_assessment().phases:
        for gate in phase.gates:
            assert gate.title in text
    assert len(text) < 6000


def test_a_rehearsal_says_so_and_production_does_not() -> None:
    real = make_assessment(provenance=make_provenance(time_scale=1.0))
    for render in (to_html, to_markdown):
        assert "Rehearsal at 200 times" in render(make_assessment())
        assert "Rehearsal at" not in render(real)
    assert json.loads(to_json(real))["provenance"]["time_scale"] == 1.0


def test_intervals_carry_the_name_that_says_how_far_they_hold() -> None:
    page = to_html(make_assessment())
    assert "at least 90.2 %, at 95 % confidence, however often you look" in page
    assert "if you had looked once (Wilson, 90 % two-sided)" in page


def test_bounds_are_rounded_outward() -> None:
    base = make_assessment()
    estimate = make_estimate(0.95, 0.90199, 0.98701)
    page = to_html(replace(base, agreement=replace(base.agreement, by_job=estimate)))
    assert "at least 90.1 %" in page


def test_absent_evidence_is_said_and_never_drawn() -> None:
    page = to_html(make_empty_assessment())
    assert "No job has been compared yet, so there is no agreement to draw." in page
    assert "No latency can be shown" in page
    assert "Nothing has been compared, so no difference could show." in page
    assert "do not differ anywhere" not in page
    assert "No detector found anything." not in page
    assert 'class="chart"' not in page


def test_percentiles_without_an_upper_bound_say_so() -> None:
    page = to_html(make_assessment())
    assert "at least 19 min 57 s; no upper bound yet" in page


def test_long_lists_state_how_much_they_leave_out() -> None:
    many = tuple(make_difference(number=n) for n in range(1, 251))
    page = to_html(make_assessment(differences=many))
    assert "The first 200 of 250" in page
    assert page.count('<tr id="d-') == 200
    assert len(to_dict(make_assessment(differences=many))["differences"]) == 250


def test_each_decision_has_its_word_and_sign() -> None:
    for decision, sign in ((Decision.GO, "✓"), (Decision.NO_GO, "✕"), (Decision.UNDECIDED, "~")):
        assessment = make_assessment(decision=decision)
        assert to_markdown(assessment).startswith(f"## {sign} {decision.value}")
        assert f"<title>{decision.value}:" in to_html(assessment)


def test_every_status_has_a_word_beside_its_colour() -> None:
    base = make_assessment()
    for status in GateStatus:
        gates = (make_gate(status=status),)
        page = to_html(replace(base, phases=(replace(base.phases[0], gates=gates),)))
        assert f"</svg>{status.value.capitalize()}</span>" in page


def test_the_page_has_no_script_and_names_no_other_host() -> None:
    page = to_html(make_assessment())
    assert "<script" not in page
    assert 'src="' not in page
    assert "@import" not in page
    assert "url(" not in page
    hosts = {part.partition('"')[0] for part in page.split("http")[1:]}
    assert all("www.w3.org" in host or host.startswith("-equiv=") for host in hosts)


def test_agreement_with_the_pairs_that_rules_set_apart_shows_only_where_there_are_some() -> None:
    shown = make_assessment()
    words = "By job, with the pairs that rules set apart"
    assert words not in to_html(shown)
    whole = replace(shown.agreement, with_excluded=make_estimate(0.5, 0.4, 0.6))
    assert words in to_html(replace(shown, agreement=whole))
    assert to_dict(shown)["agreement"]["with_excluded"] is None


def test_a_waived_gate_says_what_the_evidence_says_and_is_never_shown_as_passed() -> None:
    text = to_markdown(make_decided_assessment())
    (row,) = (line for line in text.splitlines() if line.startswith("| ! Waived"))
    assert row.startswith("| ! Waived (○ Open) | No customer complaints |")
    assert "**Waived, not passed**" in text
    said = next(line for line in text.splitlines() if line.startswith("- shadow.complaints: "))
    assert "Ana Ruiz takes the risk until 26 Nov 2026, 08:30:00 UTC" in said
    assert "Waived, not passed: the evidence says open." in said
    expired = next(line for line in text.splitlines() if line.startswith("- shadow.zero"))
    assert "Ben Okafor took the risk; it expired on 22 Nov 2026" in expired


def test_markdown_shows_statements_marks_stages_and_what_would_change_the_decision() -> None:
    text = to_markdown(make_decided_assessment()).replace("\\", "")
    for words in (
        "rollback_drill: holds, took 4 min 12 s, by Ben Okafor, until 2 Dec 2026",
        "no_customer_complaints: does not hold, by Ben Okafor, expired on 23 Nov 2026",
        "ramp 25 % of traffic (Ana Ruiz)",
        "deployment worker 1.4.2 (Ana Ruiz)",
        "At 5 % of traffic (21 Nov 2026, 08:30:00 UTC to 22 Nov 2026, 08:30:00 UTC, 24 jobs): pass",
        "At 25 % of traffic (22 Nov 2026, 08:30:00 UTC to now, 36 jobs): undecided",
        "Zero data loss would go from fail to pass; decision UNDECIDED, agreement 97.9 %.",
        "If the 3 costliest clusters down to ",
        "no gate would change; decision UNDECIDED, agreement 99.0 %.",
        "On fresh jobs only 97.1 % (41 jobs, jobs since 19 Nov 2026, 08:30:00 UTC)",
        "Attempt 2 of the candidate, version worker 1.4.2",
        "makes a false GO likelier",
        "9,997 of 10,000 planted faults showed (99.9 %; 99.0 % asked for)",
        "3 planted faults stayed hidden: a rule folds it away (phone-format)",
        "no rate would surely show: late",
        "✕ NO-GO (shown only, takes no part in the decision: 1 fail, 1 undecided, 1 open)",
        "phase shadow",
    ):
        assert words in text, words


def test_a_stale_calibration_says_so_first() -> None:
    table = make_calibration(stale="the rules are others now.")
    text = to_markdown(make_decided_assessment(calibration=table))
    part = text.partition("**Would a fault have shown**")[2].strip()
    assert part.startswith("- It no longer speaks of the present: the rules are others now.")


def test_no_format_shows_what_people_quoted_of_customers() -> None:
    week = make_decided_assessment(statements=(make_statement(note=f"called {WAIVED_PHONE}"),))
    for render in RENDERERS:
        assert WAIVED_PHONE not in render(week)
    assert WAIVED_PHONE in week.waivers[0].reason


@pytest.mark.parametrize("seed", range(12))
def test_no_format_but_the_page_fails_on_any_content(seed: int) -> None:
    week = random_assessment(seed)
    for name, render in FORMATS.items():
        if name != "html":
            assert render(week)


def test_rows_of_the_long_lists_stand_on_one_line_each() -> None:
    week = make_assessment()
    lines = to_json(week).splitlines()
    for number, one in enumerate(week.differences):
        (line,) = (line for line in lines if f'"id": "{one.id}"' in line)
        assert json.loads(line.rstrip(","))["job_id"] == one.job_id, number
    assert sum(line.lstrip().startswith('{"n": ') for line in lines) == len(week.agreement.series)
