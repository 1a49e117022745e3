"""A calibration as JSON for scripts: a contract that may grow and never changes quietly.

Holds no value that anybody sent: a planted fault is told by its kind and place.
"""

from __future__ import annotations

import json
from typing import Any

from harness.assess.calibrate import Calibration
from harness.compare.calibration.scoring import Hiding, KindScore, Mutant, Survivors

SCHEMA_VERSION = 1


def to_json(calibration: Calibration) -> str:
    """The calibration as indented UTF-8 JSON with a final newline. Same calibration, same bytes.

    Shares and rates lie in [0, 1]; one that does not exist is null.
    """
    return json.dumps(to_dict(calibration), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_dict(calibration: Calibration) -> dict[str, Any]:
    """What `to_json` writes, as plain values."""
    scores = calibration.scores
    return {
        "schema_version": SCHEMA_VERSION,
        "sharp": calibration.sharp,
        "score": scores.score,
        "at_least": calibration.at_least,
        "planted": scores.planted,
        "caught": scores.caught,
        "innocent": scores.innocent,
        "false_alarms": len(scores.false_alarms),
        "pairs": {
            "recorded": calibration.pairs,
            "waiting": calibration.waiting,
            "differing": calibration.differing,
        },
        "confidence": 1 - calibration.alpha,
        "rates": [
            {"rate": run.rate, "jobs": run.jobs, "hit": run.hit, "shown": run.shown}
            for run in calibration.runs
        ],
        "kinds": [_kind(kind) for kind in scores.kinds],
        "survivors": [_survivors(group) for group in scores.survivors],
        "survived": [
            _mutant(mutant) | {"cause": mutant.cause.sentence if mutant.cause else None}
            for mutant in scores.survived
        ],
        "rules": [_hiding(hiding) for hiding in scores.hiding],
        "alarms": [_mutant(mutant) for mutant in scores.false_alarms],
        "provenance": {
            "journal_id": calibration.journal_id,
            "seq": calibration.seq,
            "as_of": calibration.as_of.isoformat(),
            "rules_version": calibration.rules_version,
            "seed": calibration.seed,
            "tool_version": calibration.tool_version,
        },
    }


def _kind(kind: KindScore) -> dict[str, Any]:
    return {
        "kind": kind.kind,
        "field": kind.field,
        "fault": kind.fault,
        "effect": kind.effect.value,
        "places": kind.places,
        "jobs": kind.jobs,
        "planted": kind.planted,
        "shown": kind.shown,
        "score": kind.score,
        "visible_rate": kind.visible_rate,
        "chances": [{"rate": rate, "seen": seen} for rate, seen in kind.chances],
    }


def _mutant(mutant: Mutant) -> dict[str, Any]:
    return {
        "kind": mutant.kind,
        "fault": mutant.fault,
        "mode": mutant.mode,
        "job_id": mutant.job_id,
        "directory": mutant.directory,
    }


def _survivors(group: Survivors) -> dict[str, Any]:
    return {
        "cause": group.cause,
        "rules": list(group.rules),
        "mutants": group.mutants,
        "counted": group.counted,
        "kinds": dict(group.kinds),
        "examples": [
            {"mode": mode, "job_id": job, "directory": directory, "fault": fault}
            for mode, job, directory, fault in group.examples
        ],
    }


def _hiding(hiding: Hiding) -> dict[str, Any]:
    return {
        "rule": hiding.rule,
        "field": hiding.field,
        "hidden": hiding.hidden,
        "planted": hiding.planted,
        "share": hiding.share,
        "blinds": hiding.blinds,
        "kinds": dict(hiding.kinds),
    }
