"""Rules: what each hides, what it is worth, and new ones on trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable
from textual.worker import get_current_worker

from harness.assessment import Assessment, RuleEffect
from harness.errors import ShadowError
from harness.gates.shown import share
from harness.gates.wording import counted
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.weighed import WeighedScreen
from harness.tui.sources import source_of
from harness.tui.state import JsonValue
from harness.tui.widgets.cell import Cell
from harness.tui.wording import NOTHING, age, plain

if TYPE_CHECKING:
    from harness.assess.weighing import Weighed
    from harness.compare.rules import Rule

_PADDING = 2
_NUMBERS = 8
_WIDE, _WIDEST = 110, 150
"""From so many columns on there is room for kind and dates, and for the author too."""
_COUNTED = ("Hides", "Pairs", "Touched")
_SCOPE = ("directory", "archetype", "candidate_version", "since", "until", "control", "candidate")


class RulesScreen(ShadowScreen):
    """A table of rules, and the one under the cursor in full."""

    MODE = "rules"
    HELP_WORDS: ClassVar[str] = """\
Rules say which differences are legitimate. **Hides** counts the differences that would show
without the rule, **Pairs** the pairs they are in, **Touched** the values that it changed.

**Enter** weighs a rule: agreement with and without it, what it hides, and the real faults among
that. **t** tries a rule that is not in force; from there **a** adds it to the team's file.
"""
    AUTO_FOCUS = "DataTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "app.try_rule", "Try a rule", tooltip="What would it hide?"),
    ]

    @dataclass
    class RuleWeighed(Message):
        """The journal was compared without the rule."""

        name: str
        weighed: Weighed

    @dataclass
    class NotWeighed(Message):
        """It could not be compared."""

        reason: str

    def __init__(self) -> None:
        super().__init__()
        self._effects: tuple[RuleEffect, ...] = ()
        self._rules: dict[str, Rule] = {}
        self._filled: object = None
        self._chosen_name: str | None = None
        self._assessment: Assessment | None = None

    def compose_body(self) -> ComposeResult:
        """Figures, table, the rule in full."""
        yield Cell(id="count")
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        with VerticalScroll(id="rule", classes="panel"):
            yield Cell(id="rule-words")

    @property
    def table(self) -> DataTable[Text]:
        """The table of rules."""
        return self.query_one(DataTable)

    def paint(self, assessment: Assessment) -> None:
        """Fill the table anew only if the effects have changed."""
        self._assessment = assessment
        self._effects = assessment.rules
        self._rules = {rule.name: rule for rule in source_of(self.app).rules()}
        agreement = assessment.agreement
        self.query_one("#count", Cell).show(
            f"{counted(len(self._effects), 'rule')}; agreement by job "
            f"{share(agreement.by_job.value)}, without any rule "
            f"{share(agreement.without_rules.value)}"
        )
        self._fill()

    def on_resize(self) -> None:
        """Columns share the new width."""
        self._fill()

    def save_state(self) -> dict[str, JsonValue]:
        """The rule under the cursor."""
        return {"rule": self._chosen_name}

    def restore_state(self, state: Mapping[str, JsonValue]) -> None:
        """Put the cursor back."""
        if isinstance(name := state.get("rule"), str):
            self._chosen_name = name

    def _fill(self) -> None:
        width = self.size.width
        if (wanted := (self._effects, tuple(self._rules.values()), width)) == self._filled:
            return
        self._filled = wanted
        table, kept = self.table, self._chosen_name
        table.clear(columns=True)
        columns = _columns(width)
        for title, room in columns:
            head = Text(title, justify="right") if title in _COUNTED else Text(title)
            table.add_column(head, width=room)
        for effect in self._effects:
            cells = _cells(effect, self._rules.get(effect.name))
            table.add_row(*(cells[title] for title, _ in columns), key=effect.name)
        names = [effect.name for effect in self._effects]
        if kept in names:
            table.move_cursor(row=names.index(kept), animate=False)
        self._explain()

    def chosen(self) -> RuleEffect | None:
        """The rule under the cursor."""
        row = self.table.cursor_row
        return self._effects[row] if 0 <= row < len(self._effects) else None

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        # Rows that are being replaced say nothing about where a person stands; a table without
        # rows has no key at all.
        if (chosen := self.chosen()) and event.row_key == chosen.name:
            self._chosen_name = chosen.name
            self._explain()

    def _explain(self) -> None:
        effect = self.chosen()
        panel = self.query_one("#rule")
        panel.display = effect is not None
        if effect is None or self._assessment is None:
            return
        panel.border_title = plain(effect.name)
        panel.border_subtitle = "Enter weighs it"
        self.query_one("#rule-words", Cell).show(
            rule_words(effect, self._rules.get(effect.name), self._assessment)
        )

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if (chosen := self.chosen()) and self._assessment:
            self.query_one("#rule").border_subtitle = "Comparing without it …"
            self.weigh(chosen.name, self._assessment.provenance.seq)

    @work(thread=True, exclusive=True, group="weigh", exit_on_error=False)
    def weigh(self, name: str, seq: int) -> None:
        """Compare the journal without a rule."""
        try:
            news: Message = self.RuleWeighed(name, source_of(self.app).weigh_rule(name, seq))
        except ShadowError as error:
            news = self.NotWeighed(str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_rules_screen_rule_weighed(self, event: RuleWeighed) -> None:
        """Show it, unless a person has left."""
        self.query_one("#rule").border_subtitle = "Enter weighs it"
        if self.is_current:
            self.app.push_screen(WeighedScreen(event.name, event.weighed, proposed=False))

    def on_rules_screen_not_weighed(self, event: NotWeighed) -> None:
        """Say why."""
        self.query_one("#rule").border_subtitle = "Enter weighs it"
        self.notify(event.reason, severity="warning", markup=False)


def rule_words(effect: RuleEffect, rule: Rule | None, assessment: Assessment) -> Content:
    """A rule in full: what it does, who answers for it, since when, and what it hides."""
    lines = [Content(plain(effect.reason))]
    if rule is not None:
        lines.append(Content(f"{rule.kind} of {plain(rule.field)}; {_scope(rule)}"))
    added = "from the beginning" if effect.added_at is None else (
        f"since {effect.added_at:%d %b %Y %H:%M} UTC, "
        f"{age(effect.added_at, assessment.provenance.as_of)}"
    )  # fmt: skip
    if effect.added_at is not None and not effect.noted:
        added = "no event tells since when: it counts as added just now"
    expires = f"; expires {rule.expires:%d %b %Y}" if rule and rule.expires else ""
    lines.append(Content(f"by {plain(effect.author)}, in force {added}{expires}"))
    lines.append(
        Content(
            f"touched {counted(effect.touched, 'value')}, hides "
            f"{counted(effect.hidden, 'difference')} in {counted(effect.hidden_pairs, 'pair')}"
        )
    )
    if effect.hides_too_much:
        lines.append(
            Content.styled(
                f"▲ it is declared to hide at most {effect.expects_at_most:,.0f} pairs",
                "$warning bold",
            )
        )
    return Content("\n").join(lines)


def _scope(rule: Rule) -> str:
    said = {name: getattr(rule, name, None) for name in _SCOPE}
    words = [f"{name.replace('_', ' ')} {_text(value)}" for name, value in said.items() if value]
    return f"only {', '.join(words)}" if words else "everywhere"


def _text(value: object) -> str:
    many = value if isinstance(value, tuple) else (value,)
    return " or ".join(plain(one) for one in many)


def _columns(width: int) -> list[tuple[str, int]]:
    """Titles and widths: the numbers always, the rest by the room there is."""
    numbers = [("Hides", _NUMBERS), ("Pairs", _NUMBERS), ("Touched", _NUMBERS)]
    rest = [("Field", 16), *numbers]
    if width >= _WIDE:
        rest = [("Kind", 12), *rest, ("Added", 11), ("Expires", 11)]
    if width >= _WIDEST:
        rest.insert(-2, ("Author", 24))
    room = width - 3 - sum(each + _PADDING for _, each in rest) - _PADDING
    return [("Rule", max(12, room)), *rest]


def _cells(effect: RuleEffect, rule: Rule | None) -> dict[str, Text]:
    style = "bold" if effect.hides_too_much else ""
    added = NOTHING if effect.added_at is None else f"{effect.added_at:%d %b %Y}"
    texts = {
        "Rule": f"{'▲ ' if effect.hides_too_much else ''}{plain(effect.name)}",
        "Kind": rule.kind if rule else NOTHING,
        "Field": plain(rule.field) if rule else NOTHING,
        "Author": plain(effect.author),
        "Added": added,
        "Expires": f"{rule.expires:%d %b %Y}" if rule and rule.expires else NOTHING,
    }
    numbers = {"Hides": effect.hidden, "Pairs": effect.hidden_pairs, "Touched": effect.touched}
    return {
        title: Text(text, style=style, no_wrap=True, overflow="ellipsis")
        for title, text in texts.items()
    } | {
        title: Text(f"{number:,}", style=style, justify="right")
        for title, number in numbers.items()
    }
