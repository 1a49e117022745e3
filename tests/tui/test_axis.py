"""Both sides stand on one axis where their times put them."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from harness.assessment import EventView
from harness.tui.axis import draw_axis
from tests.support.assessments import AS_OF

HEAD = 5


def event(kind: str, after_s: float, source: str = "production") -> EventView:
    return EventView(seq=1, occurred_at=AS_OF + timedelta(seconds=after_s), source=source,
                     kind=kind, text="")  # fmt: skip


def test_control_is_above_candidate_below_and_the_job_on_the_axis() -> None:
    drawn = draw_axis(
        [event("jobs", 0), event("directory_submissions", 100), event("queue_history", 50),
         event("replay.submission", 50, "replay:demo")],
        HEAD + 101,
    )  # fmt: skip
    assert drawn is not None
    assert drawn.control == "old" + " " * 102 + "●"
    assert drawn.candidate == "new" + " " * 52 + "2"
    assert drawn.axis[HEAD] == "◆"
    assert drawn.times.startswith(" " * HEAD + "23 Nov 08:30:00")
    assert drawn.times.endswith("+1m 40s")
    assert "+50.0 s" in drawn.times


def test_nothing_is_drawn_without_events_or_room() -> None:
    assert draw_axis([], 100) is None
    assert draw_axis([event("jobs", 0)], 20) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["directory_submissions", "queue_history", "jobs"]),
            st.floats(0, 1e6),
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(25, 200),
)
def test_every_event_is_on_the_axis_and_nothing_beyond_it(
    events: list[tuple[str, float]], width: int
) -> None:
    drawn = draw_axis([event(kind, at) for kind, at in events], width)
    assert drawn is not None
    for line in (drawn.control, drawn.axis, drawn.candidate, drawn.times):
        assert len(line) <= max(width, HEAD + 24)
    for kind, line in (
        ("directory_submissions", drawn.control),
        ("queue_history", drawn.candidate),
    ):
        marks = line[HEAD:].replace(" ", "")
        wanted = sum(name == kind for name, _ in events)
        if "+" not in marks:
            assert sum(1 if mark == "●" else int(mark) for mark in marks) == wanted
