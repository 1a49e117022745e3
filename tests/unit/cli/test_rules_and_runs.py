"""What the dashboard does with rules and runs is what the commands do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.assess.criteria import load_criteria, load_rules
from harness.cli import operations as module
from harness.cli.operations import JournalOperations, ReplayProcess
from harness.errors import SettingsError
from harness.journal.store import Journal
from harness.settings import load_settings
from harness.tui.actions.port import ReplayOrder
from harness.tui.data import DashboardData
from harness.tui.looked import RuleSaid
from tests.support.team_weeks import make_team_week

NAME_CASE = 'kind = "casefold", field = "values.name"'
ANY_VALUE = 'kind = "ignore", field = "values.*"'
SIGNED = {"name": "name-case", "author": "Ada Quill", "reason": "imported in capitals"}


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """As `make_team_week`, in the folder of the commands."""
    monkeypatch.chdir(tmp_path)
    return make_team_week(tmp_path)


def test_a_rule_is_tried_added_and_from_then_on_judged_by(week: Journal) -> None:
    data = DashboardData(week.path, load_criteria(load_settings(None, {})))
    operations = JournalOperations(None, None, on_criteria=data.judge_by)
    before = data.load(None).assessment
    assert before is not None
    tried = data.try_rule(NAME_CASE, RuleSaid(), before.provenance.seq)
    operations.add_rule(NAME_CASE, accept=False, **SIGNED)
    assert load_rules(Path("ours.toml"))[0].rule[-1].name == "name-case"
    after = data.load(None).assessment
    assert after is not None
    gone = {one.id for one in before.differences} - {one.id for one in after.differences}
    assert gone == {one.id for one in tried.trial.hidden}
    assert after.agreement.by_job.value == tried.with_them
    assert [rule.name for rule in data.rules()] == [rule.name for rule in after.rules]


def test_a_rule_that_hides_a_real_fault_needs_to_be_accepted(week: Journal) -> None:
    operations = JournalOperations(None, None)
    text = Path("ours.toml").read_text()
    with pytest.raises(SettingsError, match="would hide 1 real fault"):
        operations.add_rule(ANY_VALUE, accept=False, **SIGNED)
    with pytest.raises(SettingsError, match="author is missing"):
        operations.add_rule(NAME_CASE, accept=True, **{**SIGNED, "author": " "})
    with pytest.raises(SettingsError, match="Give another name"):
        operations.add_rule(NAME_CASE, accept=True, **{**SIGNED, "name": "phone-format"})
    assert Path("ours.toml").read_text() == text
    operations.add_rule(ANY_VALUE, accept=True, **SIGNED)
    assert load_rules(Path("ours.toml"))[0].rule[-1].field == "values.*"


class Waits(ReplayProcess):
    """Notes what it was given and waits for the signal that a person's stop sends."""

    given: list[list[str]]
    COMMAND = (
        sys.executable, "-c",
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('ending', flush=True)))\n"
        "print('begun\\n\\nready', flush=True)\ntime.sleep(60)",
    )  # fmt: skip

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.given.append(arguments)
        super().__init__(name, arguments, log)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of every process that was started."""
    Waits.given = []
    monkeypatch.setattr(module, "ReplayProcess", Waits)
    return Waits.given


@pytest.mark.usefixtures("week")
def test_a_run_is_started_as_ordered_and_ends_when_told(given: list[list[str]]) -> None:
    operations = JournalOperations(None, None)
    order = ReplayOrder(run=" monday ", limit="50", concurrency="2", differing=True)
    child = operations.run_replay(order)
    try:
        assert given == [
            ["replay", "--run", "monday", "--limit", "50", "--concurrency", "2", "--differing",
             "--journal", "shadow.duckdb"]
        ]  # fmt: skip
        wait(lambda: child.last_lines(1) == ("ready",))
        assert child.last_lines(5) == ("begun", "ready")
        child.stop()
        wait(lambda: child.poll() is not None)
        assert (child.poll(), child.last_lines(1)) == (0, ("ending",))
    finally:
        if child.poll() is None:
            child.stop()
        child.log.unlink(missing_ok=True)


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("order", "words"),
    [
        (ReplayOrder(run=" "), "run is missing"),
        (ReplayOrder(run="monday", limit="many"), "limit = many"),
        (ReplayOrder(run="monday", concurrency="0"), "concurrency = 0"),
        (ReplayOrder(run="monday", limit="auto"), "limit = auto"),
    ],
)
def test_an_order_that_makes_no_sense_starts_nothing(
    given: list[list[str]], order: ReplayOrder, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        JournalOperations(None, None).run_replay(order)
    assert given == []


def wait(condition: Callable[[], bool]) -> None:
    """Until it holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
