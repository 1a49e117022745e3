"""Each screen: what it shows and what its keys do."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from harness.assessment import Difference
from harness.model import GateStatus
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.screens.gate import GateScreen
from harness.tui.widgets.difference_table import DifferenceTable
from harness.tui.widgets.gates import GateRow
from tests.support.assessments import (
    make_assessment,
    make_difference,
    make_empty_assessment,
    make_operations,
    make_recording,
    make_replay,
)
from tests.tui.support import FakeData, drive, look_again, make_app, press, settle, text_of

SMALL = (80, 24)


def table_of(pilot: Pilot[int]) -> DifferenceTable:
    return pilot.app.screen.query_one(DifferenceTable)


async def whole_overview(pilot: Pilot[int]) -> str:
    """What stands on every page of it."""
    text = text_of(pilot.app)
    for _ in range(4):
        await press(pilot, "pagedown")
        text += text_of(pilot.app)
    return text


def test_the_overview_says_decision_gates_and_what_is_missing_in_words() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        text = await whole_overview(pilot)
        for words in (
            "✕ NO-GO", "2 required gates fail", "REHEARSAL at 200 times",
            "NOT LOOKED AT (1): Prefect was not recorded", "✕ Fail", "○ Open", "~ Undecided",
            "✓ Pass", "96.2 %", "60 jobs, 2 pending", "Agreement", "Latency, old against new",
            "9.0 created; ended: old 4.0, new 8.0", "old 3, new 2, lost at new 2",
            "0 waiting, 1 in flight", "0 dead letters", "healthy, 1 running, 0 late, 2 failed",
            "▲ 1 stale", "worker-2", "0.4 s behind, no gap", "7 retries", "Jobs over time",
            "Share of jobs ended after", "Control finished, candidate stayed silent",
            "Lost after its message was taken", "finding 1 of 5  ✕ critical",
        ):  # fmt: skip
            assert words in text, words

    drive(make_app(), scenario)


def test_enter_on_a_gate_says_why_and_what_would_settle_it() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "down", "enter")
        assert isinstance(pilot.app.screen, GateScreen)
        text = text_of(pilot.app)
        for words in (
            "lies in between, so neither side is", "About 200 more jobs", "90.2 % to 98.8 %",
            "about 200 more jobs, 23h 15m at the pace", "mean over jobs of the share",
            "95 %, one-sided", "30 jobs, and 90 %", "not waived",
        ):  # fmt: skip
            assert words in text, words
        await press(pilot, "escape")
        assert isinstance(pilot.app.focused, GateRow)

    drive(make_app(), scenario)


def test_a_gate_that_changes_is_repainted_in_place() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        rows = list(pilot.app.screen.query(GateRow))
        phases = make_assessment().phases
        mended = replace(phases[0].gates[0], status=GateStatus.PASS, value_text="60 of 60")
        first = replace(phases[0], gates=(mended, *phases[0].gates[1:]))
        data.now = make_assessment(phases=(first, *phases[1:]))
        await look_again(pilot)
        assert list(pilot.app.screen.query(GateRow)) == rows
        assert "60 of 60" in text_of(pilot.app)

    drive(make_app(data), scenario)


def test_an_empty_week_is_open_and_not_green() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        text = await whole_overview(pilot)
        assert "~ UNDECIDED" in text
        assert "✓" not in text
        assert text.count("not recorded") >= 5
        assert "No job has been compared yet." in text
        assert "▲ not proved: no sweep has finished" in text
        assert "No difference." in text

    drive(make_app(FakeData(make_empty_assessment())), scenario)


def test_gaps_and_dead_letters_are_loud() -> None:
    health = make_recording(gaps=("database away, 09:10 to 09:14",), provisional=True)

    async def scenario(pilot: Pilot[int]) -> None:
        text = await whole_overview(pilot)
        assert "▲ 1, last: database away" in text
        assert "▲ 3 dead letters, oldest 5.0 s" in text
        assert "provisional" in text

    running = make_operations()
    assert running.queue is not None
    queue = replace(running.queue, dlq_depth=3, dlq_oldest_age_s=5.0)
    week = make_assessment(recording=health, operations=replace(running, queue=queue))
    drive(make_app(FakeData(week)), scenario)


def test_choosing_a_cluster_shows_exactly_its_differences() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        pilot.app.screen.query_one("#clusters", OptionList).focus()
        await press(pilot, "home", "enter")
        assert isinstance(pilot.app.screen, DifferencesScreen)
        largest = make_assessment().clusters[0]
        assert table_of(pilot).row_count == largest.size
        assert f"{largest.size} of 14 differences" in text_of(pilot.app)

    drive(make_app(), scenario)


def test_choosing_a_finding_opens_it() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        pilot.app.screen.query_one("#findings", OptionList).focus()
        await press(pilot, "home", "down", "enter")
        assert "The job and its rows exist" in text_of(pilot.app)
        await press(pilot, "1")
        pilot.app.screen.query_one("#findings", OptionList).focus()
        await press(pilot, "end", "enter")
        assert "Key by the form's address" in text_of(pilot.app)

    drive(make_app(), scenario)


def test_a_small_terminal_reaches_everything_by_the_keys() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert "Operations" not in text_of(pilot.app)
        seen = ""
        for _ in range(20):
            await press(pilot, "down")
            seen += text_of(pilot.app)
        for words in ("No customer complaints", "Agreement", "End to end", "backlog", "Findings"):
            assert words in seen, words

    drive(make_app(), scenario, size=SMALL)


def test_the_filter_narrows_the_table_while_typing() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert table_of(pilot).row_count == 14
        await press(pilot, "slash", "captcha")
        assert table_of(pilot).row_count == 1
        assert "1 of 14 differences" in text_of(pilot.app)
        await press(pilot, "escape", "x")
        assert table_of(pilot).row_count == 14

    drive(make_app(), scenario, first=("2",))


def test_enter_opens_the_difference_under_the_cursor() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "enter")
        text = text_of(pilot.app)
        assert "2 of 14   wrong value: phone at harbourpages.example" in text
        assert "(202) 555-0177" in text
        assert "+12025550142" in text
        assert "rules: trim-space, phone-format" in text

    drive(make_app(), scenario, first=("2",))


def test_the_explanation_follows_the_cursor() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "down")
        assert "the candidate failed (captcha)" in text_of(pilot.app)

    drive(make_app(), scenario, first=("2",))


def test_new_differences_appear_and_the_cursor_stays_on_its_own() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "down")
        newer = make_difference("timeout", 1, "aaa.example")
        data.now = make_assessment(differences=(newer, *make_assessment().differences))
        await look_again(pilot)
        assert table_of(pilot).row_count == 15
        assert table_of(pilot).cursor_row == 3
        assert "the candidate failed (captcha)" in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",))


def test_every_row_can_be_reached_however_many_there_are() -> None:
    many = tuple(make_difference("timeout", number, f"d{number}.example") for number in range(3000))
    data = FakeData(make_assessment(differences=many))

    async def scenario(pilot: Pilot[int]) -> None:
        assert table_of(pilot).row_count == 3000
        assert "3,000 of 3,000 differences" in text_of(pilot.app)
        await press(pilot, "end")
        assert "d2999.example" in text_of(pilot.app)
        await press(pilot, "home")
        assert "d0.example" in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",))


def test_square_brackets_in_values_are_text_not_markup() -> None:
    odd = make_difference("wrong_value", 2, field="values.name", control_value="[b]x[/b]",
                          candidate_value="a\x1b[31mb")  # fmt: skip
    data = FakeData(make_assessment(differences=(odd,)))

    async def scenario(pilot: Pilot[int]) -> None:
        assert "[b]x[/b]" in text_of(pilot.app)
        assert "\x1b" not in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",))


def test_columns_fit_a_small_terminal_without_scrolling() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert table_of(pilot).max_scroll_x == 0
        assert "submitted→missing" in text_of(pilot.app)
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert table_of(pilot).max_scroll_x == 0
        assert "Mode" in text_of(pilot.app)

    drive(make_app(), scenario, first=("2",), size=SMALL)


def test_next_and_previous_step_through_the_filtered_list() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "slash", "kind:missing_candidate", "enter", "enter")
        assert "1 of 4   missing candidate: outcome at maple-listings" in text_of(pilot.app)
        await press(pilot, "n")
        assert "2 of 4   missing candidate: outcome at bluebell-business" in text_of(pilot.app)
        await press(pilot, "p", "p")
        assert "1 of 4" in text_of(pilot.app)
        assert "This is the first one." in text_of(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, DifferencesScreen)
        assert pilot.app.screen.query_one(Input).value == "kind:missing_candidate"

    drive(make_app(), scenario, first=("2",))


def test_only_what_differs_after_the_rules_is_marked() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "down", "enter")
        marked = [line for line in text_of(pilot.app).splitlines() if "≠" in line]
        for line, words in zip(
            marked, ("after rules", "phone", "recorded", "phone-format"), strict=True
        ):
            assert words in line

    drive(make_app(), scenario, first=("2",), size=(120, 60))


def test_recorded_texts_reach_the_screen_as_text() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "enter")
        text = text_of(pilot.app)
        assert "[reCAPTCHA] intercepts" in text
        assert "[bold]captcha[/bold]" in text
        assert "\x1b" not in text

    drive(make_app(), scenario, first=("2",), size=(120, 60))


def test_detail_is_asked_as_of_the_moment_on_screen() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "enter")
        assert data.asked == [(first().id, 4236)]
        await look_again(pilot)
        assert len(data.asked) == 1
        data.steps = {(4236, False): 4100}
        await press(pilot, "[")
        assert data.asked[-1] == (first().id, 4100)

    drive(make_app(data), scenario, first=("2",))


def test_a_busy_journal_is_said_and_asked_again_at_the_next_look() -> None:
    data = FakeData()
    data.busy = True

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "enter")
        assert "▲ week.duckdb: another process kept the journal locked" in text_of(pilot.app)
        data.busy = False
        await look_again(pilot)
        assert "flow_triggered flow_run=9f2" in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",), size=(120, 60))


def test_a_difference_that_is_gone_says_so() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "enter")
        data.now = make_assessment(differences=make_assessment().differences[1:])
        await look_again(pilot)
        assert isinstance(pilot.app.screen, DifferenceScreen)
        assert "this is not a difference. It was:" in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",))


def test_a_running_replay_shows_progress_rate_and_what_remains() -> None:
    run = make_replay(
        finished_at=None, done=200, excluded=8, rate_per_min=120.0, remaining_s=104.5, escapes=2
    )

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "6")
        text = text_of(pilot.app)
        for words in (
            "Replays 1, 1 running", " 49 %", "200 replayed and 8 excluded of 417 submissions",
            "120.0 a minute, about 1m 44s left", "1 disagreeing", "✕ 2 ESCAPES FROM THE SANDBOX",
            "environment unknown 12",
        ):  # fmt: skip
            assert words in text, words

    drive(make_app(FakeData(make_assessment(replays=(run,)))), scenario, size=(180, 40))


def test_no_replay_says_how_to_start_one() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "6")
        assert "n starts a replay; so does: shadow replay" in text_of(pilot.app)

    drive(make_app(FakeData(make_empty_assessment())), scenario)


def test_a_finding_shows_why_mend_and_evidence() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "5")
        text = text_of(pilot.app)
        assert "nobody will try this job again" in text
        assert "Delete the message only after" in text
        assert "flow_triggered" in text
        assert "seq 1,187" in text
        await press(pilot, "end")
        assert "▲ warning  directories_collapsed" in text_of(pilot.app)

    drive(make_app(), scenario, size=SMALL)


def test_no_finding_says_so() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "5")
        assert "none of the known patterns" in text_of(pilot.app)

    drive(make_app(FakeData(make_empty_assessment())), scenario)


def first() -> Difference:
    return make_assessment().differences[0]
