"""Recorded pairs to plant faults in, as frames, and what a calibration makes of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from harness.compare.calibration.plan import Conditions, Plan, plan
from harness.compare.calibration.run import run
from harness.compare.calibration.scoring import Mutant, Scores, scored
from harness.compare.comparison import Comparison
from harness.compare.rules import RuleSet
from tests.support.events import at
from tests.support.frames import (
    Row,
    candidate,
    control,
    job,
    jobs_frame,
    observed,
    submissions_frame,
)
from tests.support.journals import criteria

SHIPPED = criteria().rules
CONDITIONS = Conditions(as_of=at(9000), deadline_s=600.0)
HOSTS = ("maple-listings.example", "birch-index.test", "cedar-pages.example", "fir.example")
TRADES = ("Maple Joinery", "Birch Brothers Bakery", "Café Cèdre Grill", "Fir & Sons Dental Care")


def business(number: int) -> dict[str, str]:
    """What the control sent for a job; every field of it differs from job to job."""
    trade = TRADES[number % len(TRADES)]
    return {
        "name": f"{trade} {number}",
        "email": f"desk{number}@trade-{number}.example",
        "phone": f"(202) 555-{100 + number:04d}",
        "website": f"https://www.trade-{number}.example/",
        "address": f"{10 + number} North {('Elm', 'Ash', 'Élysée', 'Fir')[number % 4]} Street",
        "city": f"New {('Albany', 'Troy', 'Orléans', 'Utica')[number % 4]}",
        "state": ("NY", "VT", "MA", "CT")[number % 4],
        "zip": f"{12207 + number}",
        "category": f"{trade.split()[1].lower()} services {number}",
        "description": f"Good work since {1900 + number}, by hand and à la carte.",
    }


def sent(number: int) -> dict[str, str]:
    """What the candidate sent for the same job: the same in its own way of writing."""
    said = business(number)
    return said | {
        "phone": f"+1202555{100 + number:04d}",
        "website": f"http://trade-{number}.example",
        "email": said["email"].upper(),
    }


def recorded(jobs: int = 12, **changes: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Submissions and jobs: each job in every host, every fourth failed by both, and a replay.

    changes: columns of each candidate row of production.
    """
    rows: list[Row] = []
    for number in range(jobs):
        for host in HOSTS:
            where: dict[str, Any] = {"job_id": f"job-{number:02d}", "directory": host}
            failed = number % 4 == 3
            outcome = "failed" if failed else "submitted"
            word = "approved" if number % 4 == 1 else outcome
            old: dict[str, Any] = {"error_text": "AI predicted it failed" if failed else None}
            new: dict[str, Any] = {"error_text": "no confirmation found" if failed else None}
            old |= {f"sent_{name}": value for name, value in business(number).items()}
            new |= {f"sent_{name}": value for name, value in sent(number).items()}
            rows += [
                control(outcome, raw_status=word, **where, **old),
                candidate(outcome, duration_ms=9000.0, **where, **new | changes),
                candidate(outcome, mode="demo", error_text=new["error_text"], **where),
                observed(outcome, **where, **new | {"error_text": None}),
            ]
    return submissions_frame(rows), jobs_frame([job(f"job-{n:02d}") for n in range(jobs)])


def planned(
    frames: tuple[pl.DataFrame, pl.DataFrame],
    rules: RuleSet = SHIPPED,
    *,
    mutations: int = 2000,
    seed: int = 0,
) -> tuple[Plan, Comparison]:
    """What is planted in recorded frames."""
    comparison = CONDITIONS.compared(*frames, rules)
    return plan(comparison, CONDITIONS, mutations=mutations, seed=seed), comparison


def calibrated(
    frames: tuple[pl.DataFrame, pl.DataFrame], rules: RuleSet = SHIPPED, **options: int
) -> tuple[Scores, list[Mutant]]:
    """What becomes of it."""
    chosen, comparison = planned(frames, rules, **options)
    mutants = run(chosen, comparison, *frames, CONDITIONS)
    return scored(mutants, chosen.places, alpha=0.05), mutants
