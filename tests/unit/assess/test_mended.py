"""What mending a cluster would change, and what it would not."""

from __future__ import annotations

from pathlib import Path

from harness.assessment import Assessment
from harness.model import Decision, GateStatus
from tests.support.deciding import failed_job, good_job, job_name, make_batches
from tests.support.journals import assessed, sound_job

GOOD, BAD, LOST = 150, 25, 2


def week(folder: Path) -> Assessment:
    """Most jobs agree, some fail at the candidate, two never came out of it."""
    events = [e for n in range(GOOD) for e in good_job(n, second=n)]
    events += [e for n in range(GOOD, GOOD + BAD) for e in failed_job(n, second=n)]
    for n in range(GOOD + BAD, GOOD + BAD + LOST):
        gone = {"queue_claimed", "flow_triggered", "flow_started", "submitting", "submitted",
                "job_finalized", "flow_completed"}  # fmt: skip
        events += [
            event
            for event in sound_job(job_name(n), second=n, run=None)
            if event.payload.get("event") not in gone and event.kind != "job_results"
        ]
    return assessed(make_batches(folder, [(400.0, events)], until=6000.0))


def test_mending_the_failures_helps_agreement_and_success_but_finds_no_lost_job(
    tmp_path: Path,
) -> None:
    found = week(tmp_path)
    assert found.decision is Decision.NO_GO
    by_kind = {cluster.id: cluster.kind for cluster in found.clusters}
    alone = {by_kind[c.clusters[0]]: c for c in found.counterfactuals if c.alone}
    failures, silence = alone["candidate_failed"], alone["missing_candidate"]
    changed = {change.gate: (change.before, change.after) for change in failures.gates}
    assert changed["dual-write.agreement"][1] is GateStatus.PASS
    assert "shadow.zero_loss" not in changed
    assert failures.agreement is not None
    assert abs(failures.agreement - (GOOD + BAD) / (GOOD + BAD + LOST)) < 1e-9
    assert failures.decision is Decision.NO_GO
    changed = {change.gate: (change.before, change.after) for change in silence.gates}
    assert changed["dual-write.all_processed"] == (GateStatus.FAIL, GateStatus.PASS)
    assert changed["shadow.zero_loss"] == (GateStatus.FAIL, GateStatus.PASS)
    assert changed["shadow.critical_findings"] == (GateStatus.FAIL, GateStatus.PASS)


def test_mending_everything_leaves_only_what_nobody_looked_at(tmp_path: Path) -> None:
    found = week(tmp_path)
    together = [c for c in found.counterfactuals if not c.alone][-1]
    assert set(together.clusters) == {cluster.id for cluster in found.clusters}
    assert together.agreement == 1.0
    # Prefect was not asked and nobody has attested anything: that is no matter of clusters.
    assert together.decision is Decision.UNDECIDED


def test_a_week_without_differences_has_nothing_to_mend(tmp_path: Path) -> None:
    events = [e for n in range(40) for e in good_job(n, second=n)]
    found = assessed(make_batches(tmp_path, [(400.0, events)], until=6000.0))
    assert found.counterfactuals == ()
