"""The actions on the screen: what they ask, what they hand on, what they refuse in words."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from harness.assessment import Assessment, Cluster, Difference, Triage
from harness.errors import SettingsError
from harness.model import TriageLabel
from harness.tui.actions.port import Child, ReplayOrder, Target
from harness.tui.actions.table import ACTIONS
from harness.tui.actions.text import command_line, markdown
from harness.tui.app import ShadowApp
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.screens.form import FormScreen
from harness.tui.screens.help import HelpScreen
from harness.tui.screens.leaving import LeavingScreen
from harness.tui.screens.text import TextScreen
from tests.support.assessments import AS_OF, make_assessment, make_difference
from tests.tui.support import FakeData, drive, look_again, make_app, press, settle, text_of, until

WRITING = ("label", "undo", "replay", "attest", "waive")


class FakeChild:
    """A replay that ends when the test says so."""

    name, pid, log = "again-1", 4321, Path("/tmp/again-1.log")

    def __init__(self) -> None:
        self.code: int | None = None
        self.stopped = False

    def poll(self) -> int | None:
        return self.code

    def stop(self) -> None:
        self.stopped = True

    def last_words(self) -> str:
        return "1 of 1 done"

    def last_lines(self, most: int) -> tuple[str, ...]:
        return ("starting", "1 of 1 done")[-most:]


class FakeOperations:
    """Notes what it was asked."""

    author = "Ana Ruiz"
    journal = Path("week.duckdb")

    def __init__(self, data: FakeData) -> None:
        self.data = data
        self.done: list[tuple[object, ...]] = []
        self.trouble: str | None = None
        self.child = FakeChild()

    def label(self, target: str, label: TriageLabel | None, reason: str, by: str) -> str:
        self._note("label", target, label, reason, by)
        shown = self.data.now
        assert shown is not None
        said = None if label is None else make_triage(target, label, reason=reason, author=by)
        rest = [one for one in shown.triage if one.target != target]
        self.data.now = replace(
            shown,
            triage=(*rest, *([said] if said else [])),
            clusters=tuple(
                replace(c, triage=said) if c.id == target else c for c in shown.clusters
            ),
        )
        return f"{target}: {label or 'cleared'}"

    def attestable(self) -> tuple[str, ...]:
        return ("no_customer_complaints", "rollback_ready")

    def attest(
        self, name: str, *, by: str, until: str, holds: bool, took: str, note: str
    ) -> str:  # fmt: skip
        self._note("attest", name, by, until, holds, took, note)
        return f"{name}: holds"

    def waivable(self) -> tuple[str, ...]:
        return ("dual-write.agreement", "dual-write.prefect_errors")

    def waive(self, gate: str, *, by: str, reason: str, until: str | None) -> str:
        self._note("waive", gate, by, reason, until)
        return f"{gate}: waived"

    def report(self, assessment: Assessment, folder: Path) -> tuple[Path, ...]:
        self._note("report", assessment.provenance.seq, folder)
        return (folder / "report.html",)

    def masked(self, target: Target, assessment: Assessment) -> Target:
        return replace(target, control_raw="•••") if isinstance(target, Difference) else target

    def replay(self, *, job_id: str, directory: str) -> Child:
        self._note("replay", job_id, directory)
        return self.child

    def run_replay(self, order: ReplayOrder) -> Child:
        self._note("run", order)
        self.child.name = order.run
        return self.child

    def add_rule(
        self, rule: str, *, name: str, author: str, reason: str, accept: bool
    ) -> str:  # fmt: skip
        self._note("add_rule", rule, name, author, reason, accept)
        return f"our-rules.toml: rule {name} was added"

    def _note(self, *what: object) -> None:
        if self.trouble:
            raise SettingsError(self.trouble)
        self.done.append(what)


def make_triage(target: str, label: TriageLabel, **changes: object) -> Triage:
    values: dict[str, object] = {
        "reason": "seen", "author": "Ana Ruiz", "at": AS_OF, "seq": 4300, "description": "a cause",
    }  # fmt: skip
    return Triage(target=target, label=label, **{**values, **changes})  # type: ignore[arg-type]


def said(app: ShadowApp) -> str:
    """Every notice on the screen, as it was meant: a toast breaks its lines."""
    return "\n".join(notice.message for notice in app._notifications)


def acting(**options: object) -> tuple[ShadowApp, FakeOperations]:
    data = FakeData()
    operations = FakeOperations(data)
    return make_app(data, operations=operations, **options), operations


def costliest() -> Cluster:
    live = [one for one in make_assessment().clusters if one.mode == "live"]
    return max(live, key=lambda one: one.cost)


def test_the_costliest_cause_is_labelled_in_five_keys_and_taken_back() -> None:
    app, operations = acting()
    cause = costliest()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "m")
        assert isinstance(app.screen, DifferencesScreen)
        await press(pilot, "enter", "t")
        text = text_of(app)
        assert isinstance(app.screen, FormScreen)
        assert "without it" in text or "points" in text
        assert "changes no verdict" in text
        await press(pilot, "down", "enter", "enter")
        (done,) = operations.done
        assert done[:3] == ("label", done[1], TriageLabel.CONTROL_BUG)
        assert done[4] == "Ana Ruiz"
        await press(pilot, "u")
        assert "Take the label back?" in text_of(app)
        await press(pilot, "enter")
        assert operations.done[1][:3] == ("label", done[1], None)
        assert "undo of control-bug" in str(operations.done[1][3])

    drive(app, scenario)
    assert operations.done[0][1] == cause.id


def test_undo_restores_what_was_said_before() -> None:
    app, operations = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "m", "enter", "t", "enter", "enter", "t", "down", "down", "enter")
        await press(pilot, "enter", "u")
        assert "It will be candidate-bug again" in text_of(app)
        await press(pilot, "enter")
        labels = [done[2] for done in operations.done]
        assert labels == [
            TriageLabel.CANDIDATE_BUG, TriageLabel.ENVIRONMENT, TriageLabel.CANDIDATE_BUG,
        ]  # fmt: skip
        await press(pilot, "u", "enter")
        assert operations.done[3][2] is None

    drive(app, scenario)


def test_a_label_can_be_of_the_difference_alone() -> None:
    app, operations = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "m", "enter")
        target = app.target()
        assert isinstance(target, Difference)
        await press(pilot, "t")
        await pilot.press("ctrl+t")
        await press(pilot, "enter", "enter")
        assert operations.done[0][1] == target.id

    drive(app, scenario)


def test_a_refusal_stays_in_the_form_with_what_was_typed() -> None:
    app, operations = acting()
    operations.trouble = "label candidate-bug needs a reason."

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "m", "enter", "t", "enter", "enter")
        assert isinstance(app.screen, FormScreen)
        assert "▲ label candidate-bug needs a reason." in text_of(app)
        operations.trouble = None
        await press(pilot, "enter")
        assert operations.done
        await press(pilot, "t", "escape")
        assert len(operations.done) == 1

    drive(app, scenario)


def test_a_form_that_ends_under_the_palette_closes_once_it_is_in_front_again() -> None:
    app, operations = acting()
    release = threading.Event()
    written = operations._note

    def slow(*what: object) -> None:
        assert release.wait(60)
        written(*what)

    operations._note = slow  # type: ignore[method-assign]

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "m", "enter", "t", "enter")
        form = app.screen
        await pilot.press("enter", "ctrl+p")
        assert app.screen is not form
        release.set()
        await settle(pilot)
        assert operations.done
        await press(pilot, "escape")
        await until(pilot, lambda: form not in app.screen_stack)
        assert isinstance(app.screen, DifferenceScreen)

    drive(app, scenario)


@pytest.mark.parametrize("name", WRITING)
def test_in_the_past_nothing_is_written_and_the_reason_is_said(name: str) -> None:
    app, operations = acting(as_of=1200)
    key = next(one.key for one in ACTIONS if one.name == name)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", key)
        assert "what you say is written now" in said(app)
        assert not isinstance(app.screen, FormScreen)

    drive(app, scenario)
    assert operations.done == []


@pytest.mark.parametrize(
    "name", [*WRITING, "report", "export_view", "copy_markdown", "copy_command"]
)
def test_a_dashboard_that_only_looks_says_so(name: str) -> None:
    app = make_app()
    key = next(one.key for one in ACTIONS if one.name == name)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", key)
        assert "only looks" in said(app)
        assert app.faults == {}

    drive(app, scenario)


def test_the_gate_under_the_cursor_is_attested_and_waived() -> None:
    app, operations = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "a", "down", "enter", "enter")
        assert operations.done[0] == ("attest", "rollback_ready", "Ana Ruiz", "7d", True, "", "")
        await press(pilot, "down", "V", "enter", "no Prefect here", "enter")
        assert operations.done[1] == (
            "waive", "dual-write.prefect_errors", "Ana Ruiz", "no Prefect here", "7d",
        )  # fmt: skip
        await press(pilot, "V")
        await pilot.press("ctrl+t")
        await press(pilot, "enter", "enter")
        assert operations.done[2][-1] is None

    drive(app, scenario)


def test_the_report_of_the_past_goes_to_a_folder_of_its_own() -> None:
    app, operations = acting(as_of=1200)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "w", "enter")
        await press(pilot, "l", "w", "enter")

    drive(app, scenario)
    assert operations.done == [
        ("report", 1200, Path("report-as-of-1200")), ("report", 4236, Path("report")),
    ]  # fmt: skip


def test_copying_goes_to_the_clipboard_and_is_shown() -> None:
    app, _ = acting(as_of=1200)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "Y")
        assert isinstance(app.screen, TextScreen)
        assert app.clipboard.startswith("shadow diff ")
        assert app.clipboard.endswith("--journal week.duckdb --as-of 1200")
        assert app.clipboard in " ".join(text_of(app).replace("│", " ").split())
        await press(pilot, "escape", "y")
        assert "•••" in app.clipboard
        assert "seq 1,200" in app.clipboard

    drive(app, scenario)


def test_copied_text_is_never_taken_for_markup() -> None:
    hostile = make_difference(
        "wrong_value", 7, "a|b`c`.test", control_raw="<b>x</b> | [link](http://x.test)\n# head",
        candidate_raw="_y_", explanation="\x1b[31m*red*",
    )  # fmt: skip
    text = markdown(hostile, make_assessment())
    assert "\x1b" not in text
    assert "<b>" not in text.replace("\\<b\\>", "")
    rows = [line for line in text.splitlines() if line.startswith("| as recorded")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [4]
    line = command_line(replace(hostile, id="x; rm"), Path("my week.duckdb"), as_of_seq=None)
    assert line == "shadow diff 'x; rm' --journal 'my week.duckdb'"


def test_the_view_is_exported_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShadowApp, "EXPORT_FOLDER", str(tmp_path))
    app, _ = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "E")
        assert "personal values too" in said(app)

    drive(app, scenario)
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    base = "shadow-differences-seq-4236"
    assert names == {f"{base}.svg": 0o600, f"{base}.txt": 0o600}
    assert "14 of 14 differences" in (tmp_path / f"{base}.txt").read_text()


def test_a_replay_is_told_from_its_start_to_its_end_and_leaving_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, operations = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2")
        target = app.target()
        assert isinstance(target, Difference)
        await press(pilot, "R")
        assert operations.done == [("replay", target.job_id, target.directory)]
        assert "process 4321" in said(app)
        await press(pilot, "q")
        assert isinstance(app.screen, LeavingScreen)
        assert "again-1" in text_of(app)
        await press(pilot, "escape")
        operations.child.code = 0
        app._ask_children()
        await look_again(pilot)
        assert "has ended" in said(app)
        await press(pilot, "q")

    assert drive(app, scenario).return_value == 0
    assert not operations.child.stopped


@pytest.mark.parametrize(("key", "stopped"), [("q", False), ("s", True)])
def test_leaving_a_running_replay_lets_it_go_on_or_stops_it(key: str, stopped: bool) -> None:
    app, operations = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "R", "q", key)

    assert drive(app, scenario).return_value == 0
    assert operations.child.stopped is stopped


def test_every_action_is_in_the_palette_and_in_the_help_with_its_key() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        commands = {one.title: one.help for one in app.get_system_commands(app.screen)}
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        for action in ACTIONS:
            assert f"({action.shown})" in commands[action.title]
            assert callable(getattr(app, f"action_{action.name}"))

    drive(app, scenario)
    assert len({one.key for one in ACTIONS}) == len(ACTIONS)
