"""What the dashboard's screens ask beside the journal is what the commands say and do."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assess.criteria import load_criteria
from harness.cli.dashboard_ports import EvidenceBeside
from harness.compare.explain import RECORDED
from harness.errors import JournalError
from harness.journal.store import Journal
from harness.settings import load_settings
from harness.tui.data import DashboardData
from replay.evidence.store import EvidenceStore
from tests.support.team_weeks import ODD, make_team_week


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """As `make_team_week`, in the folder of the commands."""
    monkeypatch.chdir(tmp_path)
    return make_team_week(tmp_path)


def test_the_data_explain_a_difference_and_know_the_seq_of_a_time(week: Journal) -> None:
    data = DashboardData(week.path, load_criteria(load_settings(None, {})))
    shown = data.load(None).assessment
    assert shown is not None
    seq, at = shown.provenance.seq, shown.provenance.as_of
    phone = next(d for d in shown.differences if d.field == "values.phone")
    steps = [step for step in data.explain(phone, seq) if step.field == phone.field]
    assert steps[0].rule == RECORDED
    assert (steps[0].control, steps[0].candidate) == (phone.control_raw, phone.candidate_raw)
    assert (steps[-1].control, steps[-1].candidate) == (phone.control_value, phone.candidate_value)
    assert {step.rule for step in steps if "changed" in step.effect} <= set(phone.rules)
    assert data.explain(phone, 1) == ()
    assert data.seq_at(at) == seq
    assert data.seq_at(at.replace(year=1999)) == 0


def test_evidence_of_a_pair_is_listed_newest_first_and_may_be_gone(week: Journal) -> None:
    store = EvidenceStore(week.path)
    for run, hour in (("monday", 9), ("tuesday", 10)):
        folder = store.make(run, ODD, "maple.example")
        (folder / "final.png").write_bytes(b"x")
        store.complete(folder, {
            "run": run, "job_id": ODD, "directory": "maple.example", "flaky": False,
            "made_at": f"2026-11-20T{hour:02}:00:00+00:00", "condition": "sound_site",
            "claimed": {"status": "submitted"}, "observed": {"accepted": 0},
        })  # fmt: skip
    port = EvidenceBeside(week.path)
    found = port.evidence(ODD, "maple.example")
    assert [one.run for one in found] == ["tuesday", "monday"]
    assert found[0].words == "claimed submitted, 0 stored, recorded sound site"
    assert "final.png" in found[0].files
    assert port.evidence(ODD, "birch.example") == ()
    store.bound(0)
    with pytest.raises(JournalError, match="dropped"):
        port.open_evidence(found[0])
