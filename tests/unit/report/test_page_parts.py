"""What the page says of gates, mending, events and figures, before any browser draws it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from harness.assessment import Counterfactual, GateChange
from harness.model import Decision, GateStatus
from harness.report import bars, gate_rows, mending, view
from harness.report.html import to_html
from harness.report.marked import marked_events
from harness.report.redact import HIDDEN, mask_text
from tests.support.assessments import PLANTED_PHONE, make_assessment, make_gate, make_operations
from tests.support.assessments_whole import (
    make_calibration,
    make_large_assessment,
    make_mark,
    make_waiver,
    make_whole_assessment,
)

UNDECIDED, PASS, FAIL = GateStatus.UNDECIDED, GateStatus.PASS, GateStatus.FAIL


def test_a_waived_gate_shows_who_why_until_when_and_what_the_evidence_says() -> None:
    page = to_html(make_whole_assessment())
    row = page.partition('data-gate="dual-write.prefect_errors"')[2].partition("</table>")[0]
    row = row.partition('data-gate="')[0]
    for words in ("Waived", "Ana Ruiz", "26 Nov 2026, 08:30:00 UTC", "Prefect&#39;s own alarm"):
        assert words in row
    assert "The evidence says" in row
    assert 'class="status fail"' in row
    assert 'class="status pass"' not in row


def test_a_failing_gate_says_what_to_do_and_a_passing_one_does_not() -> None:
    todo = "Re-queue the lost jobs."

    def page(status: GateStatus) -> str:
        base = make_assessment()
        gate = make_gate(status=status, owner="queue", when_red=todo)
        return to_html(replace(base, phases=(replace(base.phases[0], gates=(gate,)),)))

    assert todo in page(FAIL)
    assert todo not in page(PASS)
    assert "queue</span>" in page(PASS)


def test_a_phase_that_does_not_decide_is_folded_and_counts_in_no_sum() -> None:
    page = to_html(make_whole_assessment())
    above, _, below = page.partition('<details class="later"')
    assert "Rollback drill" not in above
    assert "Rollback drill" in below.partition("</details>")[0]
    assert "Cut-over: all traffic on the new stack (1 open)" in below
    assert "2 pass, 2 fail, 2 undecided, 1 open, 1 waived" in above
    assert "Rollback drill" not in page.partition('id="why"')[2].partition("</section>")[0]


def test_a_phase_that_has_not_begun_says_so_once() -> None:
    whole = make_whole_assessment()
    later = whole.phases[-1]
    gate = replace(later.gates[0], reason="This phase has not begun: say `shadow mark cutover`.")
    many = tuple(replace(gate, gate=f"cutover.{n}", title=f"Gate {n}") for n in range(4))
    page = to_html(replace(whole, phases=(*whole.phases[:-1], replace(later, gates=many))))
    assert page.count("This phase has not begun: say <code>shadow mark cutover</code>.") == 1
    told = (*many[:3], replace(many[3], reason="Nobody has attested it."))
    page = to_html(replace(whole, phases=(*whole.phases[:-1], replace(later, gates=told))))
    assert page.count("This phase has not begun") == 3


def test_a_gate_without_evidence_draws_no_bar_and_stretches_no_scale() -> None:
    base = make_assessment()
    proved = make_gate("dual-write.agreement")
    assert proved.interval is not None
    empty = make_gate(
        "dual-write.empty",
        status=GateStatus.OPEN,
        value=None,
        value_text="no evidence",
        interval=replace(proved.interval, low=0.0, high=1.0),
    )
    phases = (replace(base.phases[0], gates=(proved, empty)),)
    (rows,) = gate_rows.phase_rows(phases, gate_rows.gate_scale(phases))
    assert gate_rows.gate_scale(phases) == (0.8, 1.0)
    assert [row.bar is None for row in rows.rows] == [False, True]
    assert "0.0 to 100.0 %" not in to_html(replace(base, phases=phases))


def test_stages_of_traffic_stand_with_their_status_and_number_of_jobs() -> None:
    page = to_html(make_whole_assessment())
    for words in ("10 % of traffic, 21 jobs", "50 % of traffic, 30 jobs"):
        assert words in page


def test_jobs_are_told_as_time_at_the_pace_of_the_record_and_not_without_one() -> None:
    # One job every 2.6 hours, so that 200 more take a little over 21 days.
    running = make_operations()
    traffic = replace(running.traffic, pace_per_h=1 / 2.6)
    whole = replace(make_whole_assessment(), operations=replace(running, traffic=traffic))
    pace = gate_rows.jobs_a_second(whole)
    assert pace == pytest.approx(1 / (2.6 * 3600))
    assert gate_rows.pace_words(pace) == "about 9.2 jobs a day"
    rows = gate_rows.phase_rows(whole.phases, (0.0, 1.0))
    waits = {one.gate.gate: one for one in gate_rows.unsettled(rows, pace)}
    assert waits["dual-write.agreement"].jobs == "about 200"
    assert waits["dual-write.agreement"].time == "about 21 d 16 h"
    assert waits["shadow.complaints"].jobs == waits["shadow.complaints"].time == "–"
    assert all(one.time == "–" for one in gate_rows.unsettled(rows, None))
    unknown = replace(running, traffic=replace(traffic, pace_per_h=None))
    assert gate_rows.jobs_a_second(replace(whole, operations=unknown)) is None
    assert gate_rows.jobs_a_second(replace(whole, operations=None)) is None


def test_clusters_stand_in_the_order_of_what_mending_them_brings() -> None:
    base = make_assessment()
    ids = [cluster.id for cluster in base.clusters]
    whatifs = tuple(
        Counterfactual(clusters=(key,), alone=True, decision=decision, agreement=0.97, gates=())
        for key, decision in ((ids[3], Decision.GO), (ids[0], Decision.NO_GO))
    )
    found = mending.ranked(replace(base, counterfactuals=whatifs), frozenset())
    assert [one.cluster.id for one in found[:3]] == [ids[3], ids[0], ids[1]]
    assert found[0].decision is Decision.GO
    assert found[0].effect == "agreement 96.2 % → 97.0 %; no gate changes"
    assert found[2].effect == ""


def test_one_sentence_says_what_would_change_the_decision() -> None:
    base = make_assessment()
    first = base.clusters[0]
    change = GateChange(gate="dual-write.agreement", before=UNDECIDED, after=PASS)

    def said(*whatifs: Counterfactual) -> str:
        return mending.summary(replace(base, counterfactuals=whatifs))

    alone = Counterfactual(
        clusters=(first.id,), alone=True, decision=Decision.NO_GO, agreement=0.98, gates=(change,)
    )
    more = replace(alone, clusters=(first.id, base.clusters[1].id), alone=False)
    assert said() == ""
    go = said(replace(alone, decision=Decision.GO))
    assert go == f"If this cluster alone were mended, the decision would be GO: {first.title}."
    both = said(alone, replace(more, decision=Decision.GO))
    assert "if the first 2 clusters were mended together, it would be GO" in both
    neither = said(alone, more)
    assert neither == (
        "Mending clusters alone does not make the decision GO; it would change “Same outcome as "
        "the old poller”. What fails stays so: “Every test job was processed” and “Zero data loss”."
    )


def test_marked_events_are_numbered_in_the_order_of_time() -> None:
    events = marked_events(make_whole_assessment())
    assert [one.number for one in events] == [1, 2, 3, 4, 5, 6]
    assert [one.at for one in events] == sorted(one.at for one in events)
    texts = [one.text for one in events]
    assert texts[0] == "Deployment of 2026.11.3 (Ana Ruiz: second attempt)"
    assert texts[1] == "Ramp to 10 % (Ana Ruiz)"
    assert texts[2] == "Gap in the record of production (swept since)"
    assert texts[3] == "Rule in force: booked-twice (Imre Szabo)"
    gap = events[2]
    assert gap.until is not None
    assert gap.until - gap.at == timedelta(days=0.3)
    assert all(one.until is None for one in (*events[:2], *events[3:]))


def test_fresh_agreement_decides_where_there_is_one() -> None:
    whole = make_whole_assessment()
    rows, _ = view.figures(whole.agreement)
    assert [row.title for row in rows if row.decides] == ["By job, fresh"]
    assert rows[1].note == "rule booked-twice is younger than 29 of 60 jobs"
    plain, _ = view.figures(replace(whole.agreement, fresh=None))
    assert [row.title for row in plain if row.decides] == ["By job"]


def test_what_a_calibration_saw_worst_comes_first() -> None:
    rows = view.calibrated_rows(make_calibration())
    assert (rows[0].field, rows[0].counts, rows[0].missed) == ("values.phone", "12 of 40", True)
    assert not any(row.missed for row in rows[1:])
    assert rows[1].least == "never"
    assert {row.least for row in rows} == {"1.3 %", "never"}
    stale = make_whole_assessment(calibration=make_calibration(stale="the rules have changed."))
    assert "no longer speaks of the present: the rules have changed." in to_html(stale)
    assert "No calibration was made" in to_html(make_whole_assessment(calibration=None))


def test_shares_off_the_scale_stand_at_its_end() -> None:
    assert bars.place(0.2, (0.5, 1.0)) == bars.place(0.5, (0.5, 1.0)) == 4.0
    assert bars.place(1.0, (0.5, 1.0)) == bars.BAR_WIDTH - 4.0
    assert bars.common_scale([0.93, 0.71]) == (0.6, 1.0)
    assert bars.common_scale([]) == (0.0, 1.0)


def test_no_personal_value_is_shown_wherever_a_person_may_have_written_it() -> None:
    phone = PLANTED_PHONE[0]
    whole = make_whole_assessment(
        waivers=(make_waiver(reason=f"call {phone}"),),
        marks=(make_mark("note", f"call {phone}", days=2.0, note=f"or {phone}"),),
    )
    gates = tuple(
        replace(phase, gates=tuple(
            replace(gate, waiver=make_waiver(reason=f"ask {phone}") if gate.waiver else None,
                    reason=f"{gate.reason} {phone}")
            for gate in phase.gates
        ))
        for phase in whole.phases
    )  # fmt: skip
    page = to_html(replace(whole, phases=gates))
    for value in PLANTED_PHONE:
        assert value not in page
    assert page.count(HIDDEN) >= 5


def test_values_of_differences_that_are_not_shown_are_masked_too() -> None:
    large = make_large_assessment(differences=1_200, clusters=3, jobs=40, directories=5)
    name = "Juniper Upholstery 1198"
    finding = large.findings[0]
    case = replace(finding.evidence[0], job_id=None, detail=f"sent {name.upper()} twice")
    page = to_html(replace(large, findings=(replace(finding, evidence=(case,)),)))
    assert "sent [masked] twice" in page
    assert "Juniper Upholstery" not in page
    assert "The first 200 of 1,200" in page


@pytest.mark.parametrize("value", ["İzmir Ltd", "ıstanbul", "Straße", "KELVIN", "ſpring"])
def test_looking_before_masking_misses_no_spelling_that_masking_would_find(value: str) -> None:
    for text in (value, value.upper(), value.lower(), value.swapcase()):
        for known in (value, value.upper(), value.lower()):
            assert (HIDDEN in mask_text(text, [known])) == _matches(known, text)


def _matches(known: str, text: str) -> bool:
    return re.search(re.escape(known), text, re.IGNORECASE) is not None


def test_same_bytes_in_another_process_time_zone_locale_and_hash_seed() -> None:
    code = (
        "import hashlib;from tests.support.assessments_whole import make_whole_assessment as m;"
        "from harness.report.html import to_html;"
        "print(hashlib.sha256(to_html(m()).encode()).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                "PATH": os.environ["PATH"], "PYTHONPATH": ".", "PYTHONHASHSEED": seed,
                "TZ": zone, "LC_ALL": locale, "LANG": locale,
            },
            capture_output=True, text=True, check=True,
        ).stdout
        for seed, zone, locale in (
            ("1", "UTC", "C.UTF-8"),
            ("2", "Pacific/Auckland", "de_DE.UTF-8"),
            ("3", "America/St_Johns", "tr_TR.UTF-8"),
        )
    }  # fmt: skip
    assert len(outputs) == 1


@pytest.mark.serial
def test_a_hundred_thousand_differences_are_a_page_in_seconds_and_in_little_memory() -> None:
    code = (
        "import time;from tests.support.assessments_whole import make_large_assessment;"
        "from harness.report.html import to_html;large=make_large_assessment();"
        "start=time.process_time();page=to_html(large);"
        "print(time.process_time()-start,len(page.encode()),"
        "open('/proc/self/status').read().split('VmHWM:')[1].split()[0]+'e3')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    # Not getrusage: a process is born with the peak of the one that started it.
    seconds, size, memory = map(float, done.stdout.split())
    assert seconds < 10
    assert size < 3_000_000
    assert memory < 1_000_000_000
