"""The invented week once people have spoken: waivers, statements, marks, stages, a calibration."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from harness.assessment import (
    Assessment,
    Blinding,
    CalibratedKind,
    CalibrationTable,
    Counterfactual,
    GateChange,
    Mark,
    StageResult,
    Statement,
    Waiver,
)
from harness.model import Decision, GateStatus
from tests.support.assessments import (
    AS_OF,
    make_assessment,
    make_estimate,
    make_provenance,
)

WAIVED = "shadow.complaints"
WAIVED_PHONE = "(202) 555-0123"
"""Quoted by the waiver's reason; no report may show it."""


def make_waiver(**changes: Any) -> Waiver:
    """One that counts for three days more."""
    values: dict[str, Any] = {
        "gate": WAIVED,
        "by": "Ana Ruiz",
        "reason": f"support reads the inbox by hand, call {WAIVED_PHONE}",
        "until": AS_OF + timedelta(days=3),
        "at": AS_OF - timedelta(hours=5),
        "seq": 4100,
    }
    return Waiver(**{**values, **changes})


def make_statement(**changes: Any) -> Statement:
    """One that holds and has not expired."""
    values: dict[str, Any] = {
        "name": "rollback_drill",
        "holds": True,
        "by": "Ben Okafor",
        "note": "switched back on staging",
        "until": AS_OF + timedelta(days=9),
        "at": AS_OF - timedelta(days=1),
        "seq": 3900,
        "valid": True,
        "took_s": 252.0,
    }
    return Statement(**{**values, **changes})


def make_mark(what: str = "ramp", value: str = "5", **changes: Any) -> Mark:
    """A step of the ramp."""
    values: dict[str, Any] = {
        "what": what,
        "value": value,
        "by": "Ana Ruiz",
        "note": "first step",
        "at": AS_OF - timedelta(days=2),
        "seq": 2500,
    }
    return Mark(**{**values, **changes})


def make_calibration(**changes: Any) -> CalibrationTable:
    """Nearly everything showed; one rule hid three faults."""
    values: dict[str, Any] = {
        "score": 9997 / 10000,
        "at_least": 0.99,
        "planted": 10_000,
        "caught": 9_997,
        "innocent": 500,
        "false_alarms": 0,
        "kinds": (
            CalibratedKind(kind="wrong_phone", field="values.phone", fault="one digit of the phone "
                           "is another", planted=5_000, shown=4_997, visible_rate=0.048),
            CalibratedKind(kind="late", field="latency_s", fault="ends later", planted=5_000,
                           shown=5_000, visible_rate=None),
        ),
        "hidden": (Blinding(cause="a rule folds it away", rules=("phone-format",), mutants=3),),
        "at": AS_OF - timedelta(hours=2),
        "seq": 4150,
        "stale": None,
    }  # fmt: skip
    return CalibrationTable(**{**values, **changes})


def make_stages() -> tuple[StageResult, ...]:
    """A stage that is over and one that goes on."""
    turn = AS_OF - timedelta(days=1)
    return (
        StageResult(percent=5.0, since=AS_OF - timedelta(days=2), until=turn,
                    status=GateStatus.PASS, n=24, text="All 24 jobs agree."),
        StageResult(percent=25.0, since=turn, until=None, status=GateStatus.UNDECIDED, n=36,
                    text="Not proved yet."),
    )  # fmt: skip


def make_decided_assessment(**overrides: Any) -> Assessment:
    """The NO-GO week with a waived gate, two stages, and every kind of word of a person."""
    week = make_assessment()
    dual_write, shadow = week.phases
    gates = []
    for gate in shadow.gates:
        changes: dict[str, Any] = {"owner": "operations", "when_red": "Keep the old poller on."}
        if gate.gate == WAIVED:
            changes |= {
                "status": GateStatus.WAIVED,
                "judged": GateStatus.OPEN,
                "waiver": make_waiver(),
                "reason": "Waived by Ana Ruiz until 26 November 2026 08:30 UTC. Support reads the "
                f"inbox by hand, call {WAIVED_PHONE}. The evidence says open: {gate.reason}",
            }
        if gate.gate == "shadow.success_rate":
            changes["stages"] = make_stages()
        gates.append(replace(gate, **changes))
    top = week.clusters[0]
    agreement = replace(
        week.agreement,
        fresh=make_estimate(0.971, 0.88, 0.99, n=41),
        fresh_since=AS_OF - timedelta(days=4),
        fresh_why="rule phone-format is younger than 19 jobs, which are left out.",
    )
    values: dict[str, Any] = {
        "phases": (replace(dual_write, decides=False), replace(shadow, gates=tuple(gates))),
        "agreement": agreement,
        "statements": (
            make_statement(),
            make_statement(name="no_customer_complaints", holds=False, valid=False, took_s=None,
                           until=AS_OF - timedelta(hours=1), seq=3000, note=""),
        ),
        "waivers": (
            make_waiver(),
            make_waiver(gate="shadow.zero_loss", valid=False, by="Ben Okafor", seq=2000,
                        until=AS_OF - timedelta(days=1), reason="only test jobs were lost"),
        ),
        "marks": (
            make_mark("deployment", "worker 1.4.2", note="", seq=2400),
            make_mark(),
            make_mark("ramp", "25", note="", at=AS_OF - timedelta(days=1), seq=3500),
        ),
        "counterfactuals": (
            Counterfactual(
                clusters=(top.id,),
                alone=True,
                decision=Decision.UNDECIDED,
                agreement=0.979,
                gates=(
                    GateChange(gate="shadow.zero_loss", before=GateStatus.FAIL,
                               after=GateStatus.PASS),
                ),
            ),
            Counterfactual(
                clusters=tuple(cluster.id for cluster in week.clusters[:3]),
                alone=False,
                decision=Decision.UNDECIDED,
                agreement=0.99,
                gates=(),
            ),
        ),
        "calibration": make_calibration(),
        "provenance": make_provenance(
            phase="shadow",
            candidate_version="worker 1.4.2",
            version_since=AS_OF - timedelta(days=3),
            attempt=2,
        ),
    }  # fmt: skip
    return replace(week, **{**values, **overrides})
