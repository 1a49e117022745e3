"""Where in time one is: live or as of when, the place in the record, and the keys that move."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from harness.tui.view import View
from harness.tui.wording import clock

BEFORE, AFTER, HERE, CHANGE = "━", "┄", "●", "┃"
LEAST_TRACK = 8
_KEYS = (
    ("[ ]", "batch", "app.step(False)"),
    ("{ }", "event", "app.step_event(False)"),
    ("( )", "gate", "app.step_gate(True)"),
    ("@", "jump", "app.go_to"),
    ("Space", "play", "app.play"),
)
"""Keys, what they move by, and what a click on them does."""
_FEW_KEYS = (_KEYS[3], _KEYS[4])


class TimeBar(Widget):
    """One line; a click on the track goes there."""

    DEFAULT_CSS = "TimeBar { height: 1; }"

    @dataclass
    class Wanted(Message):
        """A place on the track was clicked."""

        seq: int
        first_seq: int
        last_seq: int
        """From where to where the place reaches; `seq` is its middle."""

    def __init__(self) -> None:
        super().__init__()
        self._view: View | None = None
        self._track: tuple[int, int] = (0, 0)

    def show(self, view: View) -> None:
        """Paint where `view` stands."""
        self._view = view
        self.set_class(view.past, "-past")
        self.refresh()

    def render(self) -> Content:
        """Words, track, keys; the track takes what the others leave."""
        view, width = self._view, self.size.width
        if view is None:
            return Content("")
        words = _words(view)
        if view.travel.searching:
            self._track = (0, 0)
            return Content.assemble(words, (f"  {view.travel.searching}  Esc stops", "bold"))
        for keys in (_keys(_KEYS, view), _keys(_FEW_KEYS, view), Content("")):
            room = width - words.cell_length - keys.cell_length - 4
            if room >= LEAST_TRACK:
                break
        track = _track(view, room) if room >= LEAST_TRACK else Content("")
        self._track = (words.cell_length + 2, room if track.cell_length else 0)
        return Content("  ").join(part for part in (words, track, keys) if part.cell_length)

    def on_click(self, event: events.Click) -> None:
        """Go to the place of the track that was clicked."""
        start, width = self._track
        span = self._view.span if self._view else None
        at = event.x - start - self.styles.padding.left
        if span is not None and width > 1 and 0 <= at < width:
            event.stop()
            first, seq, last = (
                min(span.last_seq, max(1, round((at + by) / (width - 1) * span.last_seq)))
                for by in (-0.5, 0.0, 0.5)
            )
            self.post_message(self.Wanted(seq, first, last))


def _words(view: View) -> Content:
    play = f" ▶ PLAYING ×{view.travel.speed:g}" if view.travel.playing else ""
    if not view.past:
        made = view.assessment.provenance if view.assessment else None
        at = f" seq {made.seq:,}" if made else ""
        return Content.assemble(("● LIVE", "$success bold"), at)
    made = view.assessment.provenance if view.assessment else None
    when = f"{clock(made.as_of)}, seq {made.seq:,}" if made else "…"
    if view.bridge:
        words, meanwhile = (
            ("◀ SEEN LAST ", "now") if view.bridge.to is None else ("◀ SEEN BEFORE ", "the rest")
        )
        return Content.assemble((words, "bold"), (when, "bold"), f" — reading {meanwhile} …")
    return Content.assemble(("◀ AS OF ", "bold"), (when, "bold"), " — not now", (play, "bold"))


def _keys(keys: tuple[tuple[str, str, str], ...], view: View) -> Content:
    parts = []
    for key, words, action in keys:
        if action == "app.play" and view.travel.playing:
            words = "stop, < > speed"
        parts.append(
            Content.from_markup(f"[@click={action}][bold]$key[/] $words[/]", key=key, words=words)
        )
    return Content("  ").join(parts)


def _track(view: View, width: int) -> Content:
    """The record from its first event to its last, by seq."""
    span, assessment = view.span, view.assessment
    if span is None or assessment is None:
        return Content(AFTER * width)
    last = max(1, span.last_seq)

    def place(seq: int) -> int:
        return min(width - 1, max(0, round(seq / last * (width - 1))))

    here = place(assessment.provenance.seq) if view.past else width - 1
    cells = [BEFORE if at <= here else AFTER for at in range(width)]
    for seq in view.travel.changes:
        cells[place(seq)] = CHANGE
    cells[here] = HERE
    return Content("".join(cells))
