"""A form above a screen: choices, a few lines of text, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState, get_current_worker

from harness.errors import ShadowError
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.card import Card
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.options import Options
from harness.tui.wording import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line to fill in."""

    name: str
    label: str
    value: str = ""
    placeholder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is asked. The answer has a value for every field, ``choice`` and ``scope``."""

    title: str
    lead: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    """Value and words, one a line; the first unless `chosen` says otherwise."""
    chosen: str | None = None
    scopes: tuple[tuple[str, str], ...] = ()
    """Value and words that one key goes through."""
    fields: tuple[Field, ...] = ()


Answer = Mapping[str, str]
Submit = Callable[[Answer], str]
"""Carries the answer out, in a worker thread; returns what was done in words."""


class FormScreen(Card[str | None]):
    """Asks, carries out and stays open until that has worked; answers what was done in words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", tooltip="Nothing is done"),
        Binding("ctrl+t", "next_scope", "Of what", show=False, priority=True),
        Binding("ctrl+s", "submit", "Do it", show=False, priority=True),
    ]

    @dataclass
    class Done(Message):
        """It was carried out."""

        words: str

    @dataclass
    class Refused(Message):
        """It could not be carried out."""

        reason: str

    def __init__(self, form: Form, submit: Submit) -> None:
        super().__init__()
        self._form = form
        self._submit = submit
        self._scope = 0
        self._busy = False
        self._done: str | None = None

    def compose(self) -> ComposeResult:
        """Words, choices, fields, and a line that says what goes on."""
        form = self._form
        with Vertical(classes="card form") as card:
            card.border_title = form.title
            card.border_subtitle = "Enter goes on, Ctrl+S does it, Esc leaves"
            for line in form.lead:
                yield Cell(plain(line), classes="lead-line")
            if form.choices:
                options = [Option(words, id=value) for value, words in form.choices]
                yield Options(*options, markup=False, compact=True)
            if form.scopes:
                yield Cell(id="scope")
            for field in form.fields:
                with Horizontal(classes="field"):
                    yield Cell(field.label, classes="name")
                    entry = Input(
                        field.value, placeholder=field.placeholder, id=f"field-{field.name}",
                        compact=True,
                    )  # fmt: skip
                    entry.cursor_blink = False
                    yield entry
            yield Cell(id="said")

    def on_mount(self) -> None:
        """The cursor stands on the choice that was made before."""
        self._show_scope()
        for options in self.query(OptionList):
            values = [value for value, _ in self._form.choices]
            at = values.index(self._form.chosen) if self._form.chosen in values else 0
            options.highlighted = at
            options.focus()
            return
        for line in self.query(Input):
            line.focus()
            return

    def _show_scope(self) -> None:
        if self._form.scopes:
            words = self._form.scopes[self._scope][1]
            more = "   (Ctrl+T changes it)" if len(self._form.scopes) > 1 else ""
            self.query_one("#scope", Cell).show(f"▸ {plain(words)}{more}")

    def action_next_scope(self) -> None:
        """Say it of something else."""
        if self._form.scopes:
            self._scope = (self._scope + 1) % len(self._form.scopes)
            self._show_scope()

    def action_cancel(self) -> None:
        """Leave; what is being written is not stopped half-way."""
        if not self._busy:
            self.dismiss(None)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        for line in self.query(Input):
            line.focus()
            return
        self.action_submit()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Carry it out."""
        if not self._busy:
            self._busy = True
            self.query_one("#said", Cell).show("Working …")
            self.carry_out(self._answer())

    def _answer(self) -> Answer:
        answer = {field.name: self.query_one(f"#field-{field.name}", Input).value
                  for field in self._form.fields}  # fmt: skip
        for options in self.query(OptionList):
            if options.highlighted is not None:
                answer["choice"] = self._form.choices[options.highlighted][0]
        if self._form.scopes:
            answer["scope"] = self._form.scopes[self._scope][0]
        return answer

    @work(thread=True, exclusive=True, group="form", exit_on_error=False)
    def carry_out(self, answer: Answer) -> None:
        """Do what was asked, away from the screen."""
        try:
            news: Message = self.Done(self._submit(answer))
        except ShadowError as error:
            news = self.Refused(str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_form_screen_done(self, event: Done) -> None:
        """Close."""
        self._done = event.words
        self._close()

    def on_screen_resume(self) -> None:
        """Close, if it was carried out while something else lay above."""
        self._close()

    def _close(self) -> None:
        # A screen that is not in front cannot be dismissed.
        if self._done is not None and self.is_active:
            self.dismiss(self._done)

    def on_form_screen_refused(self, event: Refused) -> None:
        """Say why, and let a person mend it."""
        self._busy = False
        self.query_one("#said", Cell).show(f"▲ {plain(event.reason)}")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An unforeseen failure must not vanish."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._busy = False
            self.post_message(ShadowScreen.WorkFailed(event.worker.error))
            self.query_one("#said", Cell).show("▲ It failed; see the line on top of the screen.")
