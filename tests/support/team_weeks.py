"""A week in which one job differs in two values, and a team with rules of its own."""

from __future__ import annotations

from pathlib import Path

from harness.assess.criteria import shipped_rules_text
from harness.journal.store import Journal
from tests.support.events import make_plan
from tests.support.journals import make_journal, sound_job

ODD = "22222222-1111-4111-8111-111111111111"


def make_team_week(folder: Path) -> Journal:
    """A job of which the candidate typed a name in capitals and another phone; a team's rules."""
    (folder / "shadow.toml").write_text('[compare]\nrules = "ours.toml"\n')
    (folder / "ours.toml").write_text(shipped_rules_text())
    typed = {"name": "MAPLE JOINERY", "phone": "202-555-0199", "zip": "12207"}
    events = [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, run=None)
    ]
    return make_journal(folder, events, name="shadow.duckdb")
