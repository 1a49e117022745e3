"""The screen Rules: what each rule does, what it is worth, and a rule on trial."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot
from textual.widgets import DataTable, Input, OptionList

from harness.gates.shown import share
from harness.tui.app import ShadowApp
from harness.tui.running import ADD, ADD_ALL_THE_SAME, LEAVE, add_form, proposal_of
from harness.tui.screens.form import FormScreen
from harness.tui.screens.rules import RulesScreen
from harness.tui.screens.weighed import Proposal, WeighedScreen
from tests.support.assessments import AS_OF, make_assessment, make_rules
from tests.tui.support import FakeData, drive, look_again, make_app, make_weighed, press, text_of
from tests.tui.test_actions import FakeOperations, said


def acting() -> tuple[ShadowApp, FakeOperations, FakeData]:
    data = FakeData()
    operations = FakeOperations(data)
    return make_app(data, operations=operations), operations, data


async def to_rules(pilot: Pilot[int]) -> None:
    await pilot.app.run_action("show_screen('rules')")
    await press(pilot, "home")


def cell(app: ShadowApp, name: str, column: int) -> str:
    table = app.screen.query_one(DataTable)
    return str(table.get_row(name)[column])


def test_each_rule_shows_what_the_assessment_says_of_it() -> None:
    app, _, _ = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        for rule in make_rules():
            row = [str(one) for one in app.screen.query_one(DataTable).get_row(rule.name)]
            assert f"{rule.hidden:,}" in row
            assert f"{rule.touched:,}" in row
        figures = make_assessment().agreement
        words = f"agreement by job {share(figures.by_job.value)}, without any rule "
        assert words + share(figures.without_rules.value) in text_of(app)

    drive(app, scenario)


def test_a_rule_that_hides_more_than_it_may_is_marked_in_words_and_in_the_navigation() -> None:
    app, _, data = acting()
    first, *rest = make_rules()
    wide = replace(first, hidden_pairs=31, expects_at_most=20)
    data.now = make_assessment(rules=(wide, *rest))

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        text = text_of(app)
        assert f"▲ {first.name}" in text
        assert "declared to hide at most 20 pairs" in text
        assert "Rules 5, ▲ 1" in text

    drive(app, scenario, size=(180, 40))


def test_the_cursor_stays_on_its_rule_when_the_figures_change() -> None:
    app, _, data = acting()
    rules = make_rules()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "down", "down")
        data.now = make_assessment(rules=(rules[-1], *rules[:-1]))
        await look_again(pilot)
        assert isinstance(app.screen, RulesScreen)
        assert (chosen := app.screen.chosen()) is not None
        assert chosen.name == rules[2].name

    drive(app, scenario)


def test_enter_weighs_the_rule_at_the_moment_shown() -> None:
    app, _, data = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "down", "enter")
        seq = make_assessment().provenance.seq
        assert data.weighed == [("weigh", make_rules()[1].name, seq)]
        assert isinstance(app.screen, WeighedScreen)
        text = text_of(app)
        for words in ("93.1 % without it", "96.2 % with it", "hides 2 differences in 2 pairs",
                      "1 real fault among them"):  # fmt: skip
            assert words in text, words
        await press(pilot, "a")
        assert isinstance(app.screen, WeighedScreen), "a rule in force is not offered to be added"
        await press(pilot, "escape")
        assert isinstance(app.screen, RulesScreen)

    drive(app, scenario)


def test_a_busy_journal_is_said_in_words() -> None:
    app, _, data = acting()
    data.busy = True

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, RulesScreen)
        assert "kept the journal locked" in said(app)

    drive(app, scenario)


def test_a_proposed_rule_is_tried_and_added_only_after_its_faults_were_accepted() -> None:
    app, operations, data = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "t")
        assert isinstance(app.screen, FormScreen)
        app.screen.query_one("#field-name", Input).value = "name-case"
        app.screen.query_one("#field-reason", Input).value = "imported in capitals"
        await press(pilot, "ctrl+s")
        assert data.weighed[-1][:2] == ("try", 'kind = "casefold", field = "values.name"')
        assert isinstance(app.screen, WeighedScreen)
        await press(pilot, "a")
        assert "1 real fault" in text_of(app)
        await press(pilot, "ctrl+s")
        assert operations.done == [], "leaving it is what is chosen at first"
        await press(pilot, "t", "ctrl+s", "a", "down")
        app.screen.query_one("#field-name", Input).value = "name-case"
        app.screen.query_one("#field-reason", Input).value = "imported in capitals"
        await press(pilot, "ctrl+s")
        assert operations.done == [
            ("add_rule", 'kind = "casefold", field = "values.name"', "name-case", "Ana Ruiz",
             "imported in capitals", True)
        ]  # fmt: skip
        assert "was added" in said(app)

    drive(app, scenario)


def test_a_wrong_rule_is_refused_in_its_form() -> None:
    app, _, data = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "t")
        app.screen.query_one("#field-field", Input).value = "values.shoe"
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, FormScreen)
        assert "values.shoe" in text_of(app)
        assert "▲" in text_of(app)
        assert data.weighed == []

    drive(app, scenario)


def test_nothing_is_added_while_the_past_is_shown() -> None:
    data = FakeData()
    operations = FakeOperations(data)
    app = make_app(data, operations=operations, as_of=AS_OF)

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "t", "ctrl+s", "a")
        assert isinstance(app.screen, RulesScreen)
        assert "looking at the past" in said(app)
        assert operations.done == []

    drive(app, scenario)


def test_a_rule_without_faults_is_added_by_one_choice() -> None:
    proposal = Proposal(rule="kind = 1", name="", author="", reason="")
    sound = add_form(proposal, make_weighed(faults=False), "Ana Ruiz")
    faulty = add_form(proposal, make_weighed(), "Ana Ruiz")
    assert [value for value, _ in sound.choices] == [LEAVE, ADD]
    assert [value for value, _ in faulty.choices] == [LEAVE, ADD_ALL_THE_SAME]


def test_what_is_typed_stays_a_text_of_the_rule() -> None:
    answer = {"choice": "ignore", "field": 'a" = 1', "more": ' directory = "*.test", ',
              "name": " n ", "author": "", "reason": ""}  # fmt: skip
    found = proposal_of(answer)
    assert found.rule == 'kind = "ignore", field = "a\\" = 1", directory = "*.test"'
    assert found.name == "n"


def test_every_kind_of_rule_can_be_chosen() -> None:
    app, _, _ = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_rules(pilot)
        await press(pilot, "t")
        options = app.screen.query_one(OptionList)
        assert {"map", "casefold", "exclude", "ceiling"} <= {one.id for one in options.options}

    drive(app, scenario)
