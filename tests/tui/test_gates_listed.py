"""The gates of phases that have not begun stay out of the way."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot

from harness.tui.widgets.gates import GateRow
from tests.support.assessments import make_assessment
from tests.tui.support import FakeData, drive, make_app, text_of


def test_a_phase_that_has_not_begun_is_one_line() -> None:
    given = make_assessment()
    *rest, last = given.phases
    waiting = replace(last, phase="cutover", title="Cut-over", decides=False, begun=False)
    assessment = replace(given, phases=(*rest, last, waiting))

    async def scenario(pilot: Pilot[int]) -> None:
        shown = sum(len(phase.gates) for phase in (*rest, last))
        assert len(pilot.app.screen.query(GateRow)) == shown
        assert "not begun" in text_of(pilot.app)

    drive(make_app(FakeData(assessment)), scenario)
