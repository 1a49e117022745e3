"""Gates that are about some directories or some package sizes only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.assessment import Assessment
from harness.gates.definition import parse_gates
from harness.model import EventDraft, GateStatus
from tests.support.deciding import failed_job, good_job, make_batches
from tests.support.journals import assessed

JOBS = 90
LARGE = 300
_GATE = """
[[phase.gate]]
id = "{id}"
kind = "mean_at_least"
measure = "success"
threshold = 0.9
title = "Submissions that succeed"
owner = "submissions"
when_red = "Look at the failures."
{scope}
"""


def gates(**scopes: str) -> Any:
    text = 'version = 1\n[[phase]]\nid = "shadow"\ntitle = "Shadow"\n'
    parts = [_GATE.format(id=name, scope=scope) for name, scope in scopes.items()]
    return parse_gates(text + "".join(parts), origin="scoped.toml")


def large(events: list[EventDraft]) -> list[EventDraft]:
    for event in events:
        if event.kind == "jobs":
            event.payload["package_size"] = LARGE
    return events


def week(folder: Path, **scopes: str) -> Assessment:
    """Every order succeeds but the large ones."""
    events = [e for n in range(JOBS) for e in good_job(n, second=n)]
    events += [e for n in range(JOBS, JOBS + 40) for e in large(failed_job(n, second=n))]
    return assessed(make_batches(folder, [(400.0, events)], until=6000.0), gates=gates(**scopes))


def found(assessment: Assessment) -> dict[str, tuple[GateStatus, int]]:
    return {
        gate.gate.partition(".")[2]: (gate.status, gate.n)
        for phase in assessment.phases
        for gate in phase.gates
    }


def test_a_gate_may_be_about_some_package_sizes(tmp_path: Path) -> None:
    assessment = week(tmp_path, every="", small="package = [50]", large=f"package = [{LARGE}]")
    assert found(assessment) == {
        "every": (GateStatus.FAIL, JOBS + 40),
        "small": (GateStatus.PASS, JOBS),
        "large": (GateStatus.FAIL, 40),
    }
    small = assessment.phases[0].gates[1]
    assert small.evidence_text == "90 jobs; package 50; old system 100.0 %"


def test_a_gate_may_be_about_some_directories(tmp_path: Path) -> None:
    assessment = week(
        tmp_path, here='directory = ["maple-*"]', nowhere='directory = ["nobody.test"]'
    )
    assert found(assessment) == {
        "here": (GateStatus.FAIL, JOBS + 40),
        "nowhere": (GateStatus.OPEN, 0),
    }


def test_mending_a_cluster_reaches_a_gate_with_a_scope(tmp_path: Path) -> None:
    assessment = week(tmp_path, large=f"package = [{LARGE}]")
    (mended,) = (one for one in assessment.counterfactuals if one.alone)
    # All forty large orders succeed then, which proves 90 %.
    assert [(one.before, one.after) for one in mended.gates] == [(GateStatus.FAIL, GateStatus.PASS)]
