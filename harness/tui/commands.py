"""What the command palette finds: every action by name, and every difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Protocol

from textual.app import SystemCommand
from textual.command import Hit, Hits, Provider

from harness.assessment import Difference
from harness.tui.actions.table import ACTIONS
from harness.tui.view import View
from harness.tui.widgets.navigation import SCREENS
from harness.tui.wording import kind_words, plain, short_job

MOST_SEARCHED = 2000
"""Differences looked through per key press; a search must not hold up typing."""


_ACTIONS = (
    *((title, f"Show the screen {title}", f"show_screen('{mode}')") for mode, title in SCREENS),
    ("Live", "Back to now (l)", "live"),
    ("Go to a moment", "Seq, time, -2h, gate … (@)", "go_to"),
    ("Step back in time", "To the batch recorded before ([)", "step(False)"),
    ("Step forward in time", "To the batch recorded after (])", "step(True)"),
    ("One event back", "Within a batch, too ({)", "step_event(False)"),
    ("One event on", "Within a batch, too (})", "step_event(True)"),
    ("Next change of a gate", "Walk on until a gate says something else ())", "step_gate(True)"),
    ("Change of a gate before", "Walk back until the gates differ (()", "step_gate(False)"),
    ("Play or stop", "Batch after batch from the moment shown (Space)", "play"),
    ("Play faster", "More batches a second (>)", "speed(1)"),
    ("Play slower", "Fewer batches a second (<)", "speed(-1)"),
    *((one.title, f"{one.words} ({one.shown})", one.name) for one in ACTIONS),
    ("Help", "What this screen shows, and all keys (?)", "help"),
)


class Dashboard(Protocol):
    """What the palette needs of the app."""

    view: View

    async def run_action(self, action: str) -> bool:
        """Carry out an action by its name."""
        ...

    async def open_difference(self, difference: Difference, among: Sequence[Difference]) -> None:
        """Show one difference; `among` is the list that next and previous step through."""
        ...


def named_actions(app: Dashboard) -> Iterator[SystemCommand]:
    """The app's own actions, as the palette lists them."""
    for title, words, action in _ACTIONS:
        yield SystemCommand(title, words, partial(app.run_action, action))


class DifferenceCommands(Provider):
    """Every difference by what it is, where, and its job."""

    async def search(self, query: str) -> Hits:
        """Those that match `query`."""
        app: Dashboard = self.app  # type: ignore[assignment]
        assessment = app.view.assessment
        matcher = self.matcher(query)
        differences = assessment.differences[:MOST_SEARCHED] if assessment else ()
        for difference in differences:
            words = (
                f"{kind_words(difference.kind)}: {plain(difference.directory)}, "
                f"{plain(difference.field)}, job {short_job(difference.job_id)}"
            )
            score = matcher.match(words)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(words),
                    partial(app.open_difference, difference, differences),
                    help=plain(difference.explanation),
                )
