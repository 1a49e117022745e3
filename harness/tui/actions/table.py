"""Every action once: key, name, words. Keys, help, palette and docs are made of it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something a person can do."""

    key: str
    """As Textual names it."""
    shown: str
    """As a person reads it."""
    title: str
    words: str
    name: str
    """Of the app's method, without ``action_``."""
    footer: bool = False


ACTIONS = (
    Action(key="m", shown="m", title="Most costly cause", name="costliest",
           words="The differences of the cause that costs most agreement"),
    Action(key="t", shown="t", title="Label", name="label", footer=True,
           words="Say what a difference or its cause comes from, with a reason"),
    Action(key="u", shown="u", title="Take back a label", name="undo",
           words="Take back the last label, by a new event"),
    Action(key="R", shown="R", title="Replay again", name="replay",
           words="Replay the pair once more, with evidence kept, in a process of its own"),
    Action(key="y", shown="y", title="Copy as Markdown", name="copy_markdown",
           words="What the cursor stands on, personal values masked"),
    Action(key="Y", shown="Y", title="Copy as a command", name="copy_command",
           words="The command line that shows the same"),
    Action(key="E", shown="E", title="Export the view", name="export_view",
           words="Write what is on the screen to a file, as SVG and as text"),
    Action(key="w", shown="w", title="Write the report", name="report", footer=True,
           words="HTML and JSON of the moment shown"),
    Action(key="a", shown="a", title="Attest", name="attest",
           words="Say by name what no machine can measure, until it expires"),
    Action(key="V", shown="V", title="Waive a gate", name="waive",
           words="Take the risk of one gate by name, for a limited time"),
    Action(key="T", shown="T", title="Next theme", name="next_theme",
           words="Dark, light, high contrast, no colour"),
)  # fmt: skip


def bindings() -> list[Binding]:
    """One a action; the footer has room for few."""
    return [
        Binding(
            one.key,
            one.name,
            one.title if not one.footer else one.title.split()[0],
            show=one.footer,
            tooltip=one.words,
        )
        for one in ACTIONS
    ]
