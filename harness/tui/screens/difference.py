"""One difference: both sides side by side, the rules that touched it, the events behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.worker import get_current_worker

from harness.assessment import Assessment, Difference, DifferenceDetail
from harness.errors import ShadowError
from harness.tui.screens.base import ShadowScreen
from harness.tui.sources import DetailSource
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.side_by_side import ComparedValues, SideBySide
from harness.tui.widgets.timeline import Timeline
from harness.tui.wording import kind_words, plain


class DifferenceScreen(ShadowScreen):
    """One difference of a list of them; steps to the next and the previous one."""

    MODE = "differences"
    HELP_WORDS: ClassVar[str] = """\
**Compared** is the field that disagrees: as recorded, after the rules, and which rules touched it.

**Both sides** shows what each side did. *Site (observed)* is what the sandbox really received in a
replay. `≠` marks what differs.

**Timeline** lists the events of the submission and of its job, oldest first.

**n** and **p** step through the differences that the filter kept; **Escape** goes back to them.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right", "step(1)", "Next", tooltip="The next difference of the list"),
        Binding("p,left", "step(-1)", "Previous", tooltip="The previous difference of the list"),
        Binding("escape,backspace", "back", "List", tooltip="Back to the list"),
    ]

    @dataclass
    class DetailLoaded(Message):
        """The journal has told all about a difference, as of `seq`."""

        seq: int
        detail: DifferenceDetail

    @dataclass
    class DetailFailed(Message):
        """The journal could not be read."""

        seq: int
        difference_id: str
        reason: str

    def __init__(
        self, source: DetailSource, difference: Difference, among: tuple[Difference, ...]
    ) -> None:
        super().__init__()
        self._source = source
        self._difference = difference
        self._ids = [one.id for one in among]
        self._known = {one.id: one for one in among}
        self._present = self._known
        self._seq = 0
        self._asked: tuple[str, int] | None = None

    def compose_body(self) -> ComposeResult:
        """Explanation, compared values, sides, timeline."""
        yield Cell(id="headline")
        with VerticalScroll(id="detail"):
            yield Cell(id="explanation")
            yield ComparedValues()
            yield SideBySide()
            yield Timeline()

    def paint(self, assessment: Assessment) -> None:
        """Show the difference as it is in `assessment`, and ask for its detail."""
        self._seq = assessment.provenance.seq
        current = {one.id: one for one in assessment.differences}
        self._known = self._known | {k: one for k, one in current.items() if k in self._known}
        self._present = current
        self._show()

    def _show(self) -> None:
        one = self._difference = self._known[self._difference.id]
        place = self._ids.index(one.id) + 1
        self.query_one("#headline", Cell).show(
            f"{place:,} of {len(self._ids):,}   {kind_words(one.kind)}: "
            f"{plain(one.field.removeprefix('values.'))} at {plain(one.directory)}\n"
            f"job {plain(one.job_id)}, {plain(one.mode)}"
        )
        words = plain(one.explanation)
        if one.id not in self._present:
            words = f"▲ At the moment shown this is not a difference. It was: {words}"
        self.query_one("#explanation", Cell).show(words)
        self.query_one(ComparedValues).show(one)
        if self._asked != (one.id, self._seq):
            if self._asked is None or self._asked[0] != one.id:
                self.query_one(SideBySide).wait()
                self.query_one(Timeline).wait()
            self._asked = (one.id, self._seq)
            self.load_detail(one, self._seq)

    def _differing_fields(self) -> frozenset[str]:
        """What disagrees after the rules between the very sides on screen."""
        here = self._difference
        return frozenset(
            one.field
            for one in self._present.values()
            if (one.mode, one.job_id, one.directory) == (here.mode, here.job_id, here.directory)
        )

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def load_detail(self, difference: Difference, seq: int) -> None:
        """Read both sides and the timeline as of `seq`."""
        try:
            news: Message = self.DetailLoaded(seq, self._source.detail(difference, seq))
        except ShadowError as error:
            news = self.DetailFailed(seq, difference.id, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_difference_screen_detail_loaded(self, event: DetailLoaded) -> None:
        """Paint the answer, if it is still the one asked for."""
        if (event.detail.difference.id, event.seq) != self._asked:
            return
        self.query_one(SideBySide).show(event.detail.sides, self._differing_fields())
        self.query_one(Timeline).show(event.detail.timeline)

    def on_difference_screen_detail_failed(self, event: DetailFailed) -> None:
        """Say why there is no detail; the next look asks again."""
        if (event.difference_id, event.seq) != self._asked:
            return
        self._asked = None
        self.query_one(SideBySide).fail(event.reason)

    def action_step(self, by: int) -> None:
        """Show the next or previous difference of the list."""
        at = self._ids.index(self._difference.id) + by
        if not 0 <= at < len(self._ids):
            self.notify("This is the last one." if by > 0 else "This is the first one.")
            return
        self._difference = self._known[self._ids[at]]
        self.query_one("#detail").scroll_home(animate=False)
        self._show()

    def action_back(self) -> None:
        """Go back to the list."""
        self.dismiss()
