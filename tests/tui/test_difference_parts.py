"""The parts of a difference that do not stand in the assessment."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.support.assessments import make_assessment, make_difference
from tests.tui.fake_ports import FakeEvidence, make_ports
from tests.tui.support import FakeData, drive, make_app, press, text_of


def test_a_difference_shows_its_steps_marks_axis_and_evidence() -> None:
    evidence = FakeEvidence()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "enter")
        text = text_of(pilot.app)
        for words in ("Rules, step by step", "as recorded", "both changed", "1 more not about it",
                      "┤", "monday: claimed submitted, 0 stored", "trace.zip"):  # fmt: skip
            assert words in text, words
        underlined = {
            segment.text
            for strip in pilot.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.underline
        }
        assert {"77", "42"} <= underlined
        await press(pilot, "o")
        assert evidence.opened == ["monday"]
        assert "The trace viewer shows run monday." in text_of(pilot.app)

    drive(make_app(ports=make_ports(evidence=evidence)), scenario, first=("2",), size=(120, 70))


def test_square_brackets_in_values_are_marked_as_text() -> None:
    odd = make_difference("wrong_value", 2, field="values.name", control_value="[b]x[/b]",
                          candidate_value="[b]y\x1b[/b]")  # fmt: skip
    data = FakeData(make_assessment(differences=(odd,), clusters=()))

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "enter")
        assert "[b]x[/b]" in text_of(pilot.app)
        assert "\x1b" not in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",))
