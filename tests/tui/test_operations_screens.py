"""Jobs, one job, Gates and Health: what they show and what their keys do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from harness.assess.job_search import JobSearch
from harness.assessment import GapSpan, Latency, Quantile
from harness.journal.verify import Verification
from harness.model import GateStatus
from harness.record.status import Health
from harness.tui.screens.job import JobScreen
from harness.tui.screens.jobs import PAGE, JobsScreen
from harness.tui.widgets.gate_list import GateList
from harness.tui.widgets.job_table import JobTable
from harness.tui.widgets.job_timeline import lane
from harness.tui.widgets.latency import change
from harness.tui.widgets.latency_plot import stepped
from harness.tui.widgets.navigation import SCREENS, Navigation
from harness.tui.widgets.ticker import FindingTicker
from harness.tui.widgets.traffic import columns
from tests.support.assessments import (
    AS_OF,
    make_assessment,
    make_empty_assessment,
    make_recorder,
    make_recording,
)
from tests.support.decided import make_decided_assessment
from tests.tui.support import (
    FakeData,
    drive,
    key_of,
    look_again,
    make_app,
    make_job_rows,
    press,
    settle,
    text_of,
)

SMALL = (80, 24)
JOBS, GATES, HEALTH = key_of("jobs"), key_of("gates"), key_of("health")


def test_jobs_are_listed_with_both_statuses_and_counts() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        text = text_of(pilot.app)
        assert "1 to 60 of 60 found, 60 jobs in all" in text
        assert pilot.app.screen.query_one(JobTable).row_count == 60
        for words in ("… open", "✓ all", "◐ some", "Agree", "Missing", "by its own word old"):
            assert words in text, words

    drive(make_app(), scenario, first=(JOBS,))


def test_a_search_goes_to_the_journal_as_of_the_moment_on_screen() -> None:
    data = FakeData()
    wanted = data.rows[6].job_id[:8]

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "slash", wanted)
        assert data.asked[-1] == (wanted, 4236)
        assert pilot.app.screen.query_one(JobTable).row_count == 1
        assert "1 to 1 of 1 found, 60 jobs in all" in text_of(pilot.app)
        await press(pilot, "escape", "x")
        assert pilot.app.screen.query_one(JobTable).row_count == 60
        await press(pilot, "slash", "package:many")
        assert "▲ package:many is no number" in text_of(pilot.app)
        assert data.asked[-1] == ("", 4236)

    drive(make_app(data), scenario, first=(JOBS,))


def test_pages_turn_and_end_at_both_ends() -> None:
    data = FakeData()
    data.rows = make_job_rows(PAGE + 5)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "n")
        assert f"{PAGE + 1} to {PAGE + 5} of {PAGE + 5} found" in text_of(pilot.app)
        await press(pilot, "n")
        assert "This is the last page." in text_of(pilot.app)
        await press(pilot, "p")
        assert f"1 to {PAGE} of" in text_of(pilot.app)

    drive(make_app(data), scenario, first=(JOBS,))


def test_enter_opens_a_job_with_its_matrix_and_both_timelines() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "enter")
        assert isinstance(pilot.app.screen, JobScreen)
        text = text_of(pilot.app)
        assert f"job {data.rows[1].job_id}" in text
        for words in (
            "harbourpages.example", "≠ mismatch", "✕ new missing", "captcha", "58.3 s", "old ",
            "+2d 21h", "maple-listings.example: submitting", "[bold]captcha[/bold]",
        ):  # fmt: skip
            assert words in text, words
        assert "Both timelines on one axis" in text
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, JobsScreen)

    drive(make_app(data), scenario, first=(JOBS,), size=(120, 50))


def test_a_locked_journal_is_said_and_asked_again_at_the_next_look() -> None:
    data = FakeData()
    data.busy = True

    async def scenario(pilot: Pilot[int]) -> None:
        assert "▲ week.duckdb: another process kept the journal locked" in text_of(pilot.app)
        data.busy = False
        await look_again(pilot)
        assert "1 to 60 of 60 found" in text_of(pilot.app)
        data.busy = True
        await press(pilot, "enter")
        assert "▲ week.duckdb: another process kept the journal locked" in text_of(pilot.app)

    drive(make_app(data), scenario, first=(JOBS,))


def test_a_question_that_fails_unforeseen_does_not_block_the_next() -> None:
    class Broken(FakeData):
        broken = True

        def jobs(self, search: JobSearch, **options: object):  # type: ignore[no-untyped-def, override]
            if self.broken:
                raise ZeroDivisionError("no page")
            return super().jobs(search, **options)  # type: ignore[arg-type]

    data = Broken()

    async def scenario(pilot: Pilot[int]) -> None:
        assert "A fault of the dashboard itself: ZeroDivisionError" in text_of(pilot.app)
        data.broken = False
        await look_again(pilot)
        assert "1 to 60 of 60 found" in text_of(pilot.app)

    drive(make_app(data), scenario, first=(JOBS,))


def test_a_job_that_is_not_there_yet_is_said() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "enter")
        data.rows = ()
        data.steps = {(4236, False): 4100}
        await press(pilot, "[")
        assert "At the moment shown no such job is recorded." in text_of(pilot.app)

    drive(make_app(data), scenario, first=(JOBS,))


def test_the_gate_under_the_cursor_is_read_in_full() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "down")
        text = " ".join(text_of(pilot.app).split())
        for words in (
            "~ Undecided dual-write.agreement", "Evidence", "90.2 % to 98.8 %",
            "What is missing", "forecast about 200 more jobs", "Definition", "95 %, one-sided",
            "When it is red",
        ):  # fmt: skip
            assert words in text, words
        await press(pilot, "tab", "end")
        assert "three largest clusters" in " ".join(text_of(pilot.app).split())

    drive(make_app(), scenario, first=(GATES,), size=(120, 50))


def test_waivers_and_attestations_in_force_are_named() -> None:
    week = make_decided_assessment()
    waived = [
        gate.gate for phase in week.phases for gate in phase.gates
        if gate.status is GateStatus.WAIVED
    ]  # fmt: skip

    async def scenario(pilot: Pilot[int]) -> None:
        gates = pilot.app.screen.query_one(GateList)
        gates.highlighted = gates.get_option_index(waived[0])
        await settle(pilot)
        text = text_of(pilot.app)
        assert "waiver       by " in text
        assert "the evidence says" in " ".join(text.split())

    drive(make_app(FakeData(week)), scenario, first=(GATES,), size=(160, 60))


def test_the_cursor_stays_on_its_gate_when_the_assessment_changes() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "down", "down")
        phases = make_assessment().phases
        fewer = replace(phases[0], gates=phases[0].gates[1:])
        data.now = make_assessment(phases=(fewer, *phases[1:]))
        await look_again(pilot)
        chosen = pilot.app.screen.query_one(GateList).gate
        assert chosen is not None
        assert chosen.gate == "shadow.p95_latency"

    drive(make_app(data), scenario, first=(GATES,))


def test_health_shows_lag_marks_costs_and_samplers() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        text = text_of(pilot.app)
        for words in (
            "to 23 Nov 08:29:59, 0.4 s behind", "production      to 23 Nov 08:29:39, 20.6 s behind",
            "queue_history", "by sampler   samples  last", "301  23 Nov 08:29:48 (12.0 s ago)",
            "prefect" + 15 * " " + "not recorded", "no gap is recorded", "lock retries 7",
            "every 2.0 s, mean 1.8 ms, 302,411 polls", "(21.0 s ago), took 118.4 ms",
            "4,236 in 1,918 batches", "✓ recording, complete until", "written 3.2 s ago",
            "48.2 MB on disk", "not checked here; v checks", "old old-poller-1 running (6.0 s ago)",
            "new worker-2 ▲ stale (14m 00s ago)",
        ):  # fmt: skip
            assert words in text, words

    drive(make_app(), scenario, first=(HEALTH,), size=(160, 60))


def test_gaps_are_open_or_closed_and_a_silent_recorder_is_loud() -> None:
    spans = tuple(
        GapSpan(what="production", since=None, until=None, closed=closed)
        for closed in (True, False)
    )
    health = make_recording(gaps=("away (swept since)", "away again"), gap_spans=spans)
    data = FakeData(make_assessment(recording=health))
    data.health = Health(well=False, words="w.duckdb: the recorder is silent", status={})

    async def scenario(pilot: Pilot[int]) -> None:
        text = text_of(pilot.app)
        for words in (
            "1 open, 1 closed", "▲ open    away again", "✓ closed  away (swept since)",
            "▲ the recorder is silent",
        ):  # fmt: skip
            assert words in text, words
        for name in ("#gaps", "#now"):
            assert pilot.app.screen.query_one(name).has_class("-undecided")

    drive(make_app(data), scenario, first=(HEALTH,), size=(160, 60))


@pytest.mark.parametrize(
    ("problems", "words"),
    [((), "✓ yes: 4,236 events in 1,918 batches"), (("the hash of batch 7",), "✕ NO")],
)
def test_v_checks_the_journal(problems: tuple[str, ...], words: str) -> None:
    data = FakeData()
    data.verification = Verification(
        events=4236, batches=1918, sealed=0, hash="", problems=problems
    )

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "v")
        assert words in text_of(pilot.app)
        assert all(problem in text_of(pilot.app) for problem in problems)

    drive(make_app(data), scenario, first=(HEALTH,), size=(160, 60))


def test_the_past_shows_nothing_of_now() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert "MB on disk" not in text_of(pilot.app)
        await press(pilot, "v")
        (said,) = pilot.app._notifications
        assert "Press l for live first" in said.message
        await press(pilot, "l")
        assert "48.2 MB on disk" in text_of(pilot.app)

    drive(make_app(as_of=1200), scenario, first=(HEALTH,), size=(160, 60))


def test_nothing_recorded_is_said_and_never_a_nought() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        text = text_of(pilot.app)
        assert "no recorder has begun" in text
        assert "▲ not proved: no sweep has finished" in text
        assert "0.0 s" not in text

    drive(make_app(FakeData(make_empty_assessment())), scenario, first=(HEALTH,), size=(160, 60))


def test_a_recorder_of_an_older_version_says_less() -> None:
    older = make_recorder(lock_retries=None, polls=None, tick_cost_ms=None)
    week = make_assessment(recording=make_recording(recorder=older))

    async def scenario(pilot: Pilot[int]) -> None:
        assert "lock retries not recorded" in text_of(pilot.app)

    drive(make_app(FakeData(week)), scenario, first=(HEALTH,), size=(160, 60))


def test_the_ticker_names_one_finding_after_the_other() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        ticker = pilot.app.screen.query_one(FindingTicker)
        seen = []
        for _ in range(6):
            seen.append(str(ticker.render()))
            ticker.turn()
        assert len(set(seen)) == 5
        assert seen[0] == seen[5]

    drive(make_app(), scenario)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_line_of_screens_fits_and_names_every_one(width: int) -> None:
    many = make_assessment(
        differences=make_assessment().differences * 900,
        findings=tuple(
            replace(one, id=f"{one.id}_{number}")
            for one in make_assessment().findings
            for number in range(9)
        ),
    )

    async def scenario(pilot: Pilot[int]) -> None:
        line = pilot.app.screen.query_one(Navigation)
        words = str(line.render())
        assert len(words.rstrip()) <= line.size.width
        for key, _ in enumerate(SCREENS, start=1):
            assert f"{key} " in words

    drive(make_app(FakeData(many)), scenario, size=(width, 24))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (100.0, 23.0, "-77%"), (100.0, 100.0, "+0%"), (10.0, 27.0, "+170%"), (1.0, 25.0, "×25"),
        (1025.0, 2.3, "-99.8%"), (1e6, 0.1, "-99.9%"), (None, 1.0, "–"), (1.0, None, "–"),
        (0.0, 1.0, "–"),
    ],
)  # fmt: skip
def test_change_is_never_more_than_it_is(old: float | None, new: float | None, words: str) -> None:
    def quantile(value: float | None) -> Quantile:
        return Quantile(
            p=0.5, value_s=value, low_s=None, high_s=None, label_low_s=None, label_high_s=None
        )

    assert change(quantile(old), quantile(new)) == words


def test_lanes_and_columns_lose_nothing() -> None:
    times = [AS_OF + timedelta(seconds=second) for second in (0, 50, 50, 100)]
    drawn = lane(times, AS_OF, AS_OF + timedelta(seconds=100), 11)
    assert drawn == "•────●────•"
    assert lane(times[:1], AS_OF, AS_OF, 5) == "•    "
    assert columns([0, 1, 8], 8, 3) == [" ▁█"]
    assert columns([0, 1, 1000], 1000, 3, 2) == ["  █", " ▁█"]


def test_curves_are_steps_that_end_where_they_end() -> None:
    curve = ((1.0, 0.25), (10.0, 0.5), (100.0, 1.0))
    points = stepped(curve, -1.0, 2.0, 4)
    assert points == ((0.0, 25.0), (1.0, 50.0), (2.0, 100.0))
    first: Latency = make_assessment().latency[0]
    assert stepped(first.control_ecdf, 0.0, 4.0, 60)[-1][1] == 100.0
