"""What each key of the dashboard does, as walks over the screens: a table for `test_every_key`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual.widgets import Input

from harness.cli.operations import JournalOperations
from harness.model import EventKind
from harness.tui.app import ShadowApp
from harness.tui.widgets.difference_table import DifferenceTable
from harness.tui.widgets.navigation import SCREENS
from tests.support.monkey import kinds
from tests.tui.support import key_of, text_of


@dataclass(frozen=True, slots=True)
class Before:
    """What stood there before the keys were pressed."""

    text: str
    seq: int
    focused: object
    theme: str
    cursor: object


Holds = Callable[[ShadowApp, Before], object]


@dataclass(frozen=True, slots=True)
class Use:
    """One binding in use."""

    owner: str
    """The class that declares it."""
    action: str
    keys: tuple[str, ...]
    """The last one is the binding's."""
    holds: Holds
    after: tuple[str, ...] = ()
    """Keys on the way to the next one."""


def words(text: str) -> Holds:
    """So it stands on the screen."""
    return lambda app, _: text in " ".join(text_of(app).split())


def told(text: str) -> Holds:
    """So it was said."""
    return lambda app, _: any(text in said.message for said in app._notifications)


def opens(screen: str) -> Holds:
    """This screen is in front."""
    return lambda app, _: type(app.screen).__name__ == screen


def in_mode(mode: str) -> Holds:
    """This screen's stack is in front."""
    return lambda app, _: app.current_mode == mode


def typing(app: ShadowApp, _: Before) -> bool:
    return isinstance(app.focused, Input)


def in_table(app: ShadowApp, _: Before) -> bool:
    return app.focused is not None and "Table" in type(app.focused).__name__


def other_text(app: ShadowApp, before: Before) -> bool:
    return text_of(app) != before.text


def other_focus(app: ShadowApp, before: Before) -> bool:
    return app.focused is not before.focused


def other_row(app: ShadowApp, before: Before) -> bool:
    return cursor_of(app) != before.cursor


def earlier(app: ShadowApp, before: Before) -> bool:
    return app.view.past and seq_of(app) < before.seq


def later(app: ShadowApp, before: Before) -> bool:
    return seq_of(app) > before.seq


def seq_of(app: ShadowApp) -> int:
    shown = app.view.assessment
    return shown.provenance.seq if shown else -1


def cursor_of(app: ShadowApp) -> object:
    return [table.cursor_row for table in app.screen.query(DifferenceTable)]


def scrolled(app: ShadowApp, _: Before) -> bool:
    return app.screen.query_one("#overview").scroll_y > 0


def at_top(app: ShadowApp, _: Before) -> bool:
    return app.screen.query_one("#overview").scroll_y == 0


def journal_says(kind: EventKind) -> Holds:
    """The journal has an event of this kind."""
    return lambda app, _: kinds(operations_of(app).journal)[kind]


def operations_of(app: ShadowApp) -> JournalOperations:
    assert isinstance(app.operations, JournalOperations)
    return app.operations


def exported() -> list[Path]:
    return list(Path.cwd().glob("shadow-*-seq-*"))


STEPS = ("app.focus_next", "app.focus_previous")
WALKS: dict[str, tuple[Use, ...]] = {
    "screens": tuple(
        Use("ShadowApp", f"show_screen('{mode}')", (key_of(mode),), in_mode(mode))
        for mode, _ in reversed(SCREENS)
    ),
    "overview": (
        Use("GateRow", STEPS[0], ("down",), other_focus),
        Use("GateRow", STEPS[0], ("j",), other_focus),
        Use("GateRow", STEPS[1], ("up",), other_focus),
        Use("GateRow", "select", ("enter",), opens("GateScreen")),
        Use("GateScreen", "dismiss", ("escape",), opens("OverviewScreen")),
        Use("OverviewScreen", "page(1)", ("pagedown",), scrolled),
        Use("OverviewScreen", "page(-1)", ("pageup", "pageup", "pageup"), at_top),
        Use("ShadowApp", "help", ("question_mark",), opens("HelpScreen")),
        Use("HelpScreen", "dismiss", ("escape",), opens("OverviewScreen")),
        Use("ShadowApp", "next_theme", ("T",), lambda app, before: app.theme != before.theme),
    ),
    "panels": (
        Use("Panel", STEPS[0], (key_of("health"), "down"), other_focus),
        Use("Panel", STEPS[1], ("up",), other_focus),
        Use("HealthScreen", "verify", ("v",), words("✓ yes:")),
    ),
    "time": (
        Use("ShadowApp", "step(False)", ("[",), earlier),
        Use("ShadowApp", "step_event(False)", ("{",), earlier),
        Use("ShadowApp", "step_event(True)", ("}",), later),
        Use("ShadowApp", "step_gate(False)", ("(",), earlier),
        Use("ShadowApp", "step(True)", ("]",), later),
        Use("ShadowApp", "step_gate(True)", ("[", "[", ")"), other_text),
        Use("ShadowApp", "go_to", ("g",), opens("MomentScreen")),
        Use("MomentScreen", "cancel", ("escape",), opens("OverviewScreen")),
        Use("ShadowApp", "speed(1)", (">",), told("a second")),
        Use("ShadowApp", "speed(-1)", ("<",), told("a second")),
        Use(
            "ShadowApp",
            "play",
            ("g", "start", "enter", "space"),
            lambda app, _: app.view.travel.playing,
            after=("space",),
        ),
        Use("ShadowApp", "live", ("l",), lambda app, _: not app.view.past),
    ),
    "differences": (
        Use("DifferencesScreen", "filter", (key_of("differences"), "slash"), typing),
        Use("DifferencesScreen", "leave_filter", ("mode:live", "escape"), in_table),
        Use("DifferenceTable", "move(1)", ("down",), other_row),
        Use("DifferenceTable", "move(-1)", ("up",), other_row),
        Use("DifferenceTable", "page(1)", ("pagedown",), other_row),
        Use("DifferenceTable", "page(-1)", ("pageup",), other_row),
        Use("DifferenceTable", "to(-1)", ("end",), other_row),
        Use("DifferenceTable", "to(0)", ("home",), other_row),
        Use("DifferencesScreen", "sort", ("s",), other_text),
        Use("DifferencesScreen", "reverse", ("S",), other_text),
        Use("DifferencesScreen", "views", ("v",), opens("ViewsScreen")),
        Use("ViewsScreen", "close", ("escape",), opens("DifferencesScreen")),
        Use(
            "ViewsScreen",
            "forget",
            ("v", "mine", "enter", "v", "d"),
            lambda app, before: "mine" not in text_of(app),
            after=("escape",),
        ),
        Use(
            "DifferencesScreen",
            "clear_filter",
            ("x",),
            lambda app, _: app.screen.query_one(Input).value == "",
        ),
        Use("DifferencesScreen", "group", ("c",), words(" causes")),
        Use("DifferenceTable", "fold", ("home", "space"), words("▸ "), after=("c",)),
        Use("DifferenceTable", "open", ("home", "enter"), opens("DifferenceScreen")),
        Use("DifferenceScreen", "step(1)", ("n",), words(" 2 of ")),
        Use("DifferenceScreen", "step(-1)", ("p",), words(" 1 of ")),
        Use("DifferenceScreen", "back", ("escape",), opens("DifferencesScreen")),
    ),
    "jobs": (
        Use("JobsScreen", "search", (key_of("jobs"), "slash"), typing),
        Use("JobsScreen", "leave_search", ("nothing-like-it", "escape"), in_table),
        Use("JobsScreen", "clear_search", ("x",), words("Enter opens one")),
        Use("JobsScreen", "turn(1)", ("n",), told("This is the last page.")),
        Use("JobsScreen", "turn(-1)", ("p",), told("This is the first page.")),
        Use("JobScreen", "back", ("enter", "escape"), opens("JobsScreen")),
    ),
    "said": (
        Use("ShadowApp", "costliest", ("m",), opens("DifferencesScreen")),
        Use("ShadowApp", "label", ("t",), opens("FormScreen")),
        Use("FormScreen", "next_scope", ("ctrl+t",), words("this difference only")),
        Use("FormScreen", "cancel", ("escape",), opens("DifferencesScreen")),
        Use("FormScreen", "submit", ("t", "ctrl+s"), journal_says(EventKind.TRIAGE)),
        Use("ShadowApp", "undo", ("u",), words("Take the label back?"), after=("enter",)),
        Use("ShadowApp", "attest", ("a",), words("Attest"), after=("ctrl+s",)),
        Use("ShadowApp", "waive", ("V",), words("Waive"), after=("enter", "one risk", "ctrl+s")),
        Use(
            "ShadowApp",
            "copy_markdown",
            ("y",),
            lambda app, _: f"seq {seq_of(app):,}" in app.clipboard,
        ),
        Use("TextScreen", "dismiss", ("escape",), opens("DifferencesScreen")),
        Use(
            "ShadowApp",
            "copy_command",
            ("Y",),
            lambda app, _: app.clipboard.startswith("shadow "),
            after=("escape",),
        ),
        Use("ShadowApp", "export_view", ("E",), lambda app, _: len(exported()) == 2),
        Use("ShadowApp", "report", ("w",), opens("FormScreen"), after=("ctrl+s",)),
        Use("ShadowApp", "leave_now", ("ctrl+c",), lambda app, _: not app.is_running),
    ),
    "rules": (
        Use("RulesScreen", "app.try_rule", (key_of("rules"), "t"), opens("FormScreen")),
        Use("WeighedScreen", "close", ("ctrl+s", "escape"), opens("RulesScreen")),
        Use(
            "WeighedScreen", "add", ("t", "ctrl+s", "a"), words("Add the rule?"), after=("escape",)
        ),
    ),
}
