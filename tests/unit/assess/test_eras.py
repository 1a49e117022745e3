"""Versions, stages of traffic and the cut-over: from when on each kind of evidence counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.assess.said import WaivePayload, said_event
from harness.assessment import Assessment
from harness.model import GateStatus, Verdict
from tests.support.deciding import (
    BY,
    failed_job,
    good_job,
    job_name,
    make_batches,
    mark,
)
from tests.support.events import at, make_control, make_job
from tests.support.journals import BUSINESS, assessed, criteria
from tests.support.samples import make_queue_sample

JOBS = 40
LATER = 10_000.0
END = LATER + 5000.0


def gate(found: Assessment, name: str) -> Any:
    return next(g for p in found.phases for g in p.gates if g.gate == name)


def batches(*marks: Any) -> list[tuple[float, Any]]:
    """Jobs that fail, then marks, then jobs that do well."""
    first = [e for n in range(JOBS) for e in failed_job(n, second=n)]
    second = [e for n in range(JOBS) for e in good_job(JOBS + n, second=LATER + n)]
    return [(-50.0, [mark("ramp", "50")]), (500.0, first), (LATER - 100.0, [*marks]),
            (LATER + 500.0, second)]  # fmt: skip


def test_a_new_version_starts_every_count_anew_and_is_a_second_attempt(tmp_path: Path) -> None:
    found = assessed(make_batches(tmp_path, batches(mark("deployment", "2.1")), until=END))
    for name in ("dual-write.agreement", "shadow.success_rate", "shadow.p95_latency"):
        assert gate(found, name).n == JOBS
        assert "only jobs since version 2.1" in gate(found, name).evidence_text
    assert gate(found, "dual-write.agreement").value == 1.0
    assert found.provenance.candidate_version == "2.1"
    assert found.provenance.attempt == 2
    # What is shown is the whole week; only the gates begin anew.
    assert found.agreement.by_job.n == 2 * JOBS


def test_a_step_of_the_ramp_starts_anew_only_what_depends_on_the_load(tmp_path: Path) -> None:
    found = assessed(make_batches(tmp_path, batches(mark("ramp", "100")), until=END))
    assert gate(found, "shadow.p95_latency").n == JOBS
    assert gate(found, "shadow.success_rate").n == 2 * JOBS
    assert gate(found, "dual-write.agreement").n == 2 * JOBS
    assert found.provenance.attempt == 1
    stages = gate(found, "shadow.success_rate").stages
    assert [(stage.percent, stage.n) for stage in stages] == [(50.0, JOBS), (100.0, JOBS)]
    assert stages[0].status is GateStatus.FAIL
    assert gate(found, "shadow.ramp").status is GateStatus.FAIL


def test_below_all_traffic_a_job_without_any_sign_was_not_chosen(tmp_path: Path) -> None:
    lonely = job_name(900)
    unchosen = [
        make_job(lonely, second=20, created_at=at(20).isoformat(), business_data=BUSINESS),
        make_control("submitted", job_id=lonely, second=60),
    ]
    steps = batches()
    steps[1][1].extend(unchosen)
    found = assessed(make_batches(tmp_path, steps, until=END))
    assert found.coverage.jobs == 2 * JOBS
    assert dict(found.agreement.verdicts)[Verdict.MISSING_CANDIDATE] == 0
    assert "never_enqueued" not in {finding.id for finding in found.findings}
    assert "1 job of stages below 100 % traffic never reached" in " ".join(found.missing_parts)
    at_full = [(second, events) for second, events in steps if second != -50.0]
    (tmp_path / "full").mkdir()
    found = assessed(make_batches(tmp_path / "full", at_full, until=END))
    assert "never_enqueued" in {finding.id for finding in found.findings}
    assert found.coverage.jobs == 2 * JOBS + 1


def test_the_phases_after_the_cut_over_begin_with_its_mark(tmp_path: Path) -> None:
    before = assessed(make_batches(tmp_path, batches(), until=END))
    after = gate(before, "cutover.queue_depth")
    assert (after.status, after.value_text) == (GateStatus.OPEN, "not begun")
    assert after.missing == "Mark it when it happens: shadow mark cutover --by NAME."
    assert not any(phase.decides for phase in before.phases if phase.phase == "cutover")
    (tmp_path / "cut").mkdir()
    steps = batches(mark("cutover"))
    samples = [
        make_queue_sample(second=LATER + 60.0 * minute, queue_depth=3, dlq_depth=0)
        for minute in range(84)
    ]
    steps.append((END, samples))
    journal = make_batches(tmp_path / "cut", steps, until=END)
    # 48 h of a rehearsal that runs 100 times as fast are half an hour.
    found = assessed(journal, time_scale=100.0, phase="cutover")
    assert gate(found, "cutover.queue_depth").status is GateStatus.PASS
    assert gate(found, "cutover.dead_letters").status is GateStatus.PASS
    assert gate(found, "cutover.all_processed").value_text == f"{JOBS} of {JOBS}"
    assert [phase.phase for phase in found.phases if phase.decides] == ["cutover"]
    assert found.provenance.phase == "cutover"


def test_a_control_that_fell_silent_lowers_coverage_instead_of_leaving_jobs_pending(
    tmp_path: Path,
) -> None:
    alone = [
        event
        for n in range(JOBS)
        for event in good_job(JOBS + n, second=LATER + n)
        if event.kind != "directory_submissions" or event.payload["status"] == "pending"
    ]
    steps = [(500.0, [e for n in range(JOBS) for e in good_job(n, second=n)]), (END, alone)]
    found = assessed(make_batches(tmp_path, steps, until=END))
    assert gate(found, "dual-write.agreement").status is GateStatus.OPEN
    assert (
        "only 50.0 % of the admitted jobs are covered" in gate(found, "dual-write.agreement").reason
    )


def test_a_waiver_of_the_journal_reaches_its_gate(tmp_path: Path) -> None:
    waiver = said_event(
        WaivePayload(
            gate="dual-write.prefect_errors", by=BY, reason="no Prefect", until=at(900_000)
        ),
        at=at(0),
    )
    journal = make_batches(tmp_path, [*batches(), (END, [waiver])], until=END)
    assert gate(assessed(journal), "dual-write.prefect_errors").status is GateStatus.WAIVED
    taken = said_event(
        WaivePayload(gate="dual-write.prefect_errors", by=BY, reason="", until=None), at=at(1)
    )
    from harness.model import Batch

    journal.append(Batch(events=(taken,)))
    assert gate(assessed(journal), "dual-write.prefect_errors").status is GateStatus.OPEN
    with journal.reader() as reader:
        assert reader.as_of_seq > 0
    assert criteria().phase is None
