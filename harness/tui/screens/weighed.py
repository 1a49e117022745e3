"""What a rule hides, in full: agreement with and without it, causes, and the faults among it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from harness.assessment import Difference
from harness.gates.shown import share
from harness.gates.wording import counted
from harness.tui.screens.card import Card
from harness.tui.widgets.cell import Cell
from harness.tui.wording import kind_words, plain, short_job, value_text

if TYPE_CHECKING:
    from harness.assess.weighing import Weighed

MOST_CAUSES, MOST_EXAMPLES = 8, 12
HARMLESS = "No faults: other words, other ways of writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rule that is on trial."""

    rule: str
    """As ``shadow rules test`` takes it."""
    name: str
    author: str
    reason: str


class WeighedScreen(Card[bool]):
    """The answer is whether the proposed rule is to be added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", tooltip="Back to the rules"),
        Binding("a", "add", "Add", tooltip="Write the rule into the team's file"),
    ]

    def __init__(self, title: str, weighed: Weighed, *, proposed: bool) -> None:
        super().__init__()
        self._title = title
        self._weighed = weighed
        self._proposed = proposed

    def compose(self) -> ComposeResult:
        """A card that scrolls."""
        with Vertical(classes="card") as card:
            card.border_title = plain(self._title)
            card.border_subtitle = "a adds it, Esc leaves" if self._proposed else "Esc closes"
            with VerticalScroll(can_focus=True):
                yield Cell(weighed_words(self._weighed, proposed=self._proposed))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is proposed can be added."""
        return self._proposed if action == "add" else super().check_action(action, parameters)

    def action_close(self) -> None:
        """Nothing is added."""
        self.dismiss(False)

    def action_add(self) -> None:
        """Go on to the confirmation."""
        self.dismiss(True)


def weighed_words(weighed: Weighed, *, proposed: bool) -> Content:
    """The whole text: figures first, then the real faults, then what else is hidden."""
    trial = weighed.trial
    would = "would hide" if proposed else "hides"
    faults = len(trial.faults)
    lines = [
        Content.assemble(
            "Agreement by job ", (share(weighed.without), "bold"), " without it, ",
            (share(weighed.with_them), "bold"), f" with it (as of seq {weighed.seq:,}).",
        ),
        Content(f"It {would} {counted(len(trial.hidden), 'difference')} "
                f"in {counted(trial.hidden_pairs, 'pair')}."),
        Content.styled(f"✕ {counted(faults, 'real fault')} among them", "$error bold")
        if faults
        else Content.styled("✓ no real fault among them", "$success"),
    ]  # fmt: skip
    if trial.set_apart:
        lines.append(Content(f"{counted(trial.set_apart, 'pair')} set apart by it."))
    if trial.appeared:
        lines.append(Content(f"{counted(len(trial.appeared), 'difference')} come to light by it."))
    if trial.faults:
        lines += [Content(""), Content.styled("Real faults", "bold"), *_examples(trial.faults)]
    if trial.clusters:
        lines += [Content(""), Content.styled("By cause", "bold")]
        lines += [Content(f"{one.size:>7,}  {plain(one.title)}")
                  for one in trial.clusters[:MOST_CAUSES]]  # fmt: skip
        lines += _more(len(trial.clusters), MOST_CAUSES, "cause")
    known = {one.id for one in trial.faults}
    others = [one for one in trial.hidden if one.id not in known]
    if others:
        lines += [
            Content(""),
            Content.styled("No faults: other words, other ways of writing", "bold"),
            *_examples(others),
        ]
    return Content("\n").join(lines)


def _examples(differences: tuple[Difference, ...] | list[Difference]) -> list[Content]:
    lines = [
        Content.assemble(
            "· ", (plain(one.directory), "$primary"),
            f", job {short_job(one.job_id)}, {kind_words(one.kind)}, "
            f"{plain(one.field.removeprefix('values.'))}: ",
            (value_text(one.control_raw), "bold"), " → ", (value_text(one.candidate_raw), "bold"),
        )
        for one in differences[:MOST_EXAMPLES]
    ]  # fmt: skip
    return lines + _more(len(differences), MOST_EXAMPLES, "difference")


def _more(count: int, shown: int, noun: str) -> list[Content]:
    left = count - shown
    return [Content.styled(f"and {counted(left, noun)} more", "$secondary")] if left > 0 else []
