"""Assessments in which everything is said: waivers, marks, what-ifs, curves; and a very large one.

Examples for whoever paints them; the figures are plausible, not the product of the formulae.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from harness.assessment import (
    Assessment,
    Blinding,
    Breakdown,
    CalibratedKind,
    CalibrationTable,
    Counterfactual,
    Evidence,
    GapSpan,
    GateChange,
    GateResult,
    Latency,
    Mark,
    PhaseResult,
    RuleEffect,
    StageResult,
    Statement,
    Waiver,
)
from harness.model import Decision, GateStatus
from tests.support.assessments import (
    AS_OF,
    MONDAY,
    make_assessment,
    make_estimate,
    make_gate,
    make_latency,
    make_phases,
    make_provenance,
    make_recording,
    make_rules,
    make_series,
)
from tests.support.differences import job_id, make_clusters, make_difference, make_finding

WAIVED = "dual-write.prefect_errors"


def make_waiver(**changes: Any) -> Waiver:
    """A named person takes the risk of one gate for three days more."""
    values: dict[str, Any] = {
        "gate": WAIVED,
        "by": "Ana Ruiz",
        "reason": "Prefect's own alarm watches the same runs until its address is known here",
        "until": AS_OF + timedelta(days=3),
        "at": AS_OF - timedelta(days=1),
        "seq": 3900,
    }
    return Waiver(**{**values, **changes})


def make_statement(name: str = "rollback_drill", **changes: Any) -> Statement:
    """An attestation that counts."""
    values: dict[str, Any] = {
        "name": name,
        "holds": True,
        "by": "Imre Szabo",
        "note": "switched back in a drill on the staging queue",
        "until": AS_OF + timedelta(days=9),
        "at": AS_OF - timedelta(days=2),
        "seq": 3500,
        "valid": True,
        "took_s": 184.0,
    }
    return Statement(**{**values, **changes})


def make_mark(what: str, value: str, *, days: float, note: str = "", seq: int = 900) -> Mark:
    """A moment so many days after the week's Monday."""
    return Mark(
        what=what, value=value, by="Ana Ruiz", note=note, at=MONDAY + timedelta(days=days), seq=seq
    )


def make_whole_assessment(**overrides: Any) -> Assessment:
    """The NO-GO week with everything that an assessment can hold, personal values too."""
    base = make_assessment()
    fresh = replace(
        base.agreement,
        fresh=make_estimate(0.971, 0.884, 0.994, n=31),
        fresh_since=MONDAY + timedelta(days=3.1),
        fresh_why="rule booked-twice is younger than 29 of 60 jobs",
    )
    values: dict[str, Any] = {
        "phases": make_whole_phases(),
        "agreement": fresh,
        "latency": tuple(_with_curves(one) for one in make_latency()),
        "rules": (
            *make_rules(),
            RuleEffect(
                name="booked-twice", version=2, author="Imre Szabo",
                reason="one site books the same listing under two names", touched=9, hidden=4,
                hidden_pairs=4, expects_at_most=2.0, added_at=MONDAY + timedelta(days=3.1),
            ),
            RuleEffect(
                name="summer-hours", version=1, author="Imre Szabo",
                reason="opening hours differ by season", touched=2, hidden=1, hidden_pairs=1,
                noted=False,
            ),
        ),
        "recording": make_recording(
            gaps=("production, the database restarted, 16:12 to 18:02 (swept since)",),
            gap_spans=(
                GapSpan(
                    what="production", since=MONDAY + timedelta(days=2.3),
                    until=MONDAY + timedelta(days=2.6), closed=True,
                ),
            ),
        ),
        "provenance": make_provenance(
            phase="shadow", candidate_version="2026.11.3", time_scale=1.0,
            version_since=MONDAY + timedelta(days=1), attempt=2,
        ),
        "statements": (
            make_statement(),
            make_statement(
                "no_customer_complaints", holds=False, by="Lena Brandt", took_s=None,
                note="two customers asked why they were listed twice",
            ),
            make_statement(
                "support_ready", valid=False, until=AS_OF - timedelta(hours=4), took_s=None,
                note="everybody on duty has read the runbook",
            ),
        ),
        "waivers": (make_waiver(), make_waiver(gate="shadow.old", valid=False)),
        "marks": (
            make_mark("deployment", "2026.11.3", days=1.0, note="second attempt"),
            make_mark("ramp", "10", days=1.05),
            make_mark("ramp", "50", days=4.2, note="after the first clean day"),
            make_mark("note", "The largest directory was down for an hour", days=5.0),
        ),
        "counterfactuals": make_counterfactuals(base),
        "calibration": make_calibration(),
        "breakdown": make_breakdown(),
    }  # fmt: skip
    return replace(base, **{**values, **overrides})


def make_whole_phases() -> tuple[PhaseResult, ...]:
    """The two phases that decide, with owners, a waiver and stages; and one that does not yet."""
    dual_write, shadow = make_phases()

    def owned(gate: GateResult) -> GateResult:
        changes: dict[str, Any] = {
            "owner": "queue" if "loss" in gate.gate or "process" in gate.gate else "submissions",
            "when_red": "Stop the ramp, re-queue the lost jobs and mend the leak before going on.",
        }
        if gate.gate == WAIVED:
            changes |= {
                "status": GateStatus.WAIVED, "judged": GateStatus.FAIL, "waiver": make_waiver(),
                "missing": None,
            }  # fmt: skip
        if gate.missing and "more jobs" in gate.missing:
            changes["more_jobs"] = 200.0
        if gate.gate == "shadow.success_rate":
            changes["stages"] = make_stages()
        return replace(gate, **changes)

    later = PhaseResult(
        phase="cutover", title="Cut-over: all traffic on the new stack", decides=False,
        decision=Decision.UNDECIDED, reason="No gate fails; evidence missing: Rollback drill.",
        gates=(
            make_gate(
                "cutover.rollback", title="Rollback drill", status=GateStatus.OPEN, value=None,
                value_text="no evidence", interval=None, threshold=None, owner="platform",
                threshold_text="attested by a named person", evidence_text="no attestation",
                reason="Nobody has attested it.", missing="A named person attests rollback_drill.",
            ),
        ),
    )  # fmt: skip
    return (
        replace(dual_write, gates=tuple(owned(gate) for gate in dual_write.gates)),
        replace(shadow, gates=tuple(owned(gate) for gate in shadow.gates)),
        later,
    )


def make_stages() -> tuple[StageResult, ...]:
    """A ramp of three steps; the last goes on."""
    steps = ((10.0, GateStatus.PASS, 21), (50.0, GateStatus.UNDECIDED, 30), (100.0, "open", 0))
    return tuple(
        StageResult(
            percent=percent, since=MONDAY + timedelta(days=2 * place),
            until=None if place == 2 else MONDAY + timedelta(days=2 * place + 2),
            status=GateStatus(status), n=n, text=f"{n} jobs at {percent:g} %.",
        )
        for place, (percent, status, n) in enumerate(steps)
    )  # fmt: skip


def make_counterfactuals(assessment: Assessment) -> tuple[Counterfactual, ...]:
    """The costliest cluster alone settles the agreement; the first three together make it GO."""
    live = [one for one in assessment.clusters if one.cost]
    gate = "dual-write.agreement"
    settles = (GateChange(gate=gate, before=GateStatus.UNDECIDED, after=GateStatus.PASS),)
    alone = tuple(
        Counterfactual(
            clusters=(one.id,), alone=True, decision=Decision.NO_GO,
            agreement=round(0.962 + one.cost, 4), gates=settles if place == 0 else (),
        )
        for place, one in enumerate(live)
    )  # fmt: skip
    lost = GateChange(gate="shadow.zero_loss", before=GateStatus.FAIL, after=GateStatus.PASS)
    together = tuple(
        Counterfactual(
            clusters=tuple(one.id for one in live[:n]), alone=False,
            decision=Decision.GO if n >= 3 else Decision.NO_GO, agreement=0.97 + 0.004 * n,
            gates=settles if n < 3 else (*settles, lost),
        )
        for n in (2, 3, 4)
    )  # fmt: skip
    return (*alone, *together)


def make_calibration(**changes: Any) -> CalibrationTable:
    """Fifteen kinds of planted faults, one of which stayed hidden behind a rule."""
    fields = ("outcome", "values.phone", "values.name", "error", "latency_s")
    faults = ("dropped", "another value", "delayed beyond the deadline")
    kinds = tuple(
        CalibratedKind(
            kind=f"{field}:{fault}", field=field, fault=fault, planted=40,
            shown=12 if (field, fault) == ("values.phone", "another value") else 40,
            visible_rate=None if field == "latency_s" and fault == "dropped" else 0.0123,
        )
        for field in fields
        for fault in faults
    )  # fmt: skip
    values: dict[str, Any] = {
        "score": 572 / 600, "at_least": 0.95, "planted": 600, "caught": 572, "innocent": 120,
        "false_alarms": 0, "kinds": kinds, "at": AS_OF - timedelta(hours=3), "seq": 4100,
        "hidden": (Blinding(cause="a rule", rules=("phone-format",), mutants=28),), "stale": None,
    }  # fmt: skip
    return CalibrationTable(**{**values, **changes})


def make_breakdown(directories: int = 30) -> tuple[Breakdown, ...]:
    """Directories of which the first loses a third, and three sizes of package."""
    names = [f"directory-{number:02d}.example" for number in range(1, directories + 1)]
    return (
        *(
            Breakdown(
                dimension="directory", name=name, submissions=15,
                agreeing=max(10, 15 - 5 // place), control_submitted=14,
                candidate_submitted=max(9, 14 - 5 // place),
            )
            for place, name in enumerate(names, start=1)
        ),
        *(
            Breakdown(
                dimension="package_size", name=size, submissions=140, agreeing=130,
                control_submitted=134, candidate_submitted=130,
            )
            for size in ("50", "100", "500")
        ),
    )  # fmt: skip


def make_large_assessment(
    *, differences: int = 100_000, clusters: int = 50, jobs: int = 3_200, directories: int = 600
) -> Assessment:
    """As much as a million pairs leave: many differences with personal values of their own."""
    fields = ("outcome", "values.phone", "values.name", "error")
    found = tuple(
        _numbered(number, fields[number % len(fields)], clusters, jobs, directories)
        for number in range(differences)
    )
    groups: dict[str, list[str]] = {}
    for one in found:
        groups.setdefault(one.cluster, []).append(one.id)
    pattern = make_clusters(found[:1])[0]
    whole = make_whole_assessment()
    return replace(
        whole,
        differences=found,
        clusters=tuple(
            replace(
                pattern, id=key, size=len(members), cost=0.02 / (place + 1),
                title=f"{pattern.title}; number {place}", examples=tuple(members[:3]),
            )
            for place, (key, members) in enumerate(groups.items())
        ),
        agreement=replace(whole.agreement, series=make_series(jobs)),
        breakdown=make_breakdown(directories),
        counterfactuals=(),
        findings=tuple(
            make_finding(
                f"finding_{place}",
                evidence=tuple(
                    Evidence(
                        job_id=None if number % 2 else job_id(1 + number % jobs),
                        directory=None, detail=f"call (202) 555-{number % 10_000:04d}", seq=number,
                    )
                    for number in range(2_000)
                ),
            )
            for place in range(8)
        ),
    )  # fmt: skip


def _numbered(number: int, field: str, clusters: int, jobs: int, directories: int) -> Any:
    phone = f"(202) 555-{number % 10_000:04d}"
    raw = {
        "values.phone": (phone, f"+1 202-555-{(number + 7) % 10_000:04d}"),
        "values.name": (f"Juniper Upholstery {number}", f"Juniper Upholstry {number}"),
    }.get(field, ("submitted", "failed"))
    made = make_difference(
        number=1 + number % jobs,
        directory=f"directory-{number % directories}.example",
        field=field,
        control_raw=raw[0],
        candidate_raw=raw[1],
        control_value=raw[0],
        candidate_value=raw[1],
        cluster=f"{number % clusters:08x}",
    )
    return replace(made, id=f"{number:012x}")


def _with_curves(one: Latency) -> Latency:
    def curve(median: float, top: float) -> Sequence[tuple[float, float]]:
        return tuple(
            (round(median * math.exp(0.8 * (place / 50 - 1)), 3), round(top * place / 100, 4))
            for place in range(1, 101)
        )

    old, new = one.control[0].value_s or 1.0, one.candidate[0].value_s or 1.0
    return replace(one, control_ecdf=curve(old, 1.0), candidate_ecdf=curve(new, 0.97))
