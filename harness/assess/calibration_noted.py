"""The calibration that the journal keeps, so that a report can show what its green is worth."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from harness.assess.criteria import Criteria
from harness.assessment import Blinding, CalibratedKind, CalibrationTable
from harness.compare.calibration.kinds import Effect
from harness.gates.wording import counted
from harness.journal.reader import Reader
from harness.model import EventDraft, EventKind, Source
from harness.resources import sql_queries


def calibrated_event(told: dict[str, Any], *, at: datetime) -> EventDraft:
    """The event that keeps a calibration.

    told: as the calibration's JSON has it; single places are left out.
    """
    kept = {key: value for key, value in told.items() if key not in ("survived", "alarms")}
    kept["survivors"] = [
        {key: value for key, value in group.items() if key != "examples"}
        for group in told["survivors"]
    ]
    made = told["provenance"]
    return EventDraft(
        source=Source.OPERATOR,
        kind=EventKind.CALIBRATED,
        key=f"calibrated:{made['seq']}:{made['rules_version']}:{made['seed']}:{at.isoformat()}",
        occurred_at=at,
        payload=kept,
    )


def calibration_table(reader: Reader, criteria: Criteria, *, jobs: int) -> CalibrationTable | None:
    """The newest calibration as of the moment; None where none was kept.

    jobs: recorded now; many more than the calibration had make it stale.
    """
    rows = reader.rows(sql_queries("views/said.sql")["select_last_calibration"])
    if not rows:
        return None
    told, at = json.loads(rows[0][0]), rows[0][1].astimezone(UTC)
    made = told["provenance"]
    stale = None
    if made["rules_version"] != criteria.rules.digest:
        stale = "It was made with other rules."
    elif (had := max((kind["jobs"] for kind in told["kinds"]), default=0)) * 2 < jobs:
        stale = f"It was made of {counted(had, 'job')}; {counted(jobs, 'job')} are recorded now."
    return CalibrationTable(
        score=told["score"],
        at_least=told["at_least"],
        planted=told["planted"],
        caught=told["caught"],
        innocent=told["innocent"],
        false_alarms=told["false_alarms"],
        kinds=tuple(
            CalibratedKind(
                kind=kind["kind"],
                field=kind["field"],
                fault=kind["fault"],
                planted=kind["planted"],
                shown=kind["shown"],
                visible_rate=kind["visible_rate"],
            )
            for kind in told["kinds"]
            if kind["planted"] and kind["effect"] == Effect.CHANGES.value
        ),
        hidden=tuple(
            Blinding(cause=group["cause"], rules=tuple(group["rules"]), mutants=group["mutants"])
            for group in told["survivors"]
        ),
        at=at,
        seq=made["seq"],
        stale=stale,
    )
