"""One difference: both sides side by side, the rules step by step, the events behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.worker import get_current_worker

from harness.assessment import Assessment, Difference, DifferenceDetail
from harness.errors import ShadowError
from harness.tui.ports import EvidencePort, KeptEvidence, ports_of
from harness.tui.screens.base import ShadowScreen
from harness.tui.sources import DetailSource
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.evidence import EvidencePanel
from harness.tui.widgets.rule_steps import RuleSteps
from harness.tui.widgets.side_by_side import ComparedValues, SideBySide
from harness.tui.widgets.timeline import Timeline
from harness.tui.wording import kind_words, plain

if TYPE_CHECKING:
    from harness.compare.explain import Step
    from harness.tui.picture import Pixels

_ENOUGH_COLOURS = ("truecolor", "256")
NO_EVIDENCE_PORT = "This dashboard was opened without a way to evidence. See: shadow evidence"


@dataclass(frozen=True, slots=True)
class Present:
    """How the difference stands in the assessment on screen."""

    now: Difference | None
    """None where it is no difference there."""
    fields: frozenset[str]
    """What disagrees after the rules between the very sides on screen."""


# No repr: Textual names a worker by those of its arguments, and an assessment's takes seconds.
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asked:
    """One question to the journal; an answer to another one is dropped."""

    difference: Difference
    assessment: Assessment


class DifferenceScreen(ShadowScreen):
    """One difference of a list of them; steps to the next and the previous one."""

    MODE = "differences"
    HELP_WORDS: ClassVar[str] = """\
**Compared** is the field that disagrees, as recorded and after the rules. What only one side has
is underlined.

**Both sides** shows what each side did. *Site (observed)* is what the sandbox really received in a
replay. `≠` marks what differs.

**Rules, step by step** shows both values as recorded and after each rule about the field.

**Timeline** has both sides on one axis, then every event of the submission and its job.

**Evidence** is what replays have kept of the pair: **i** draws the page on which it ended,
**o** opens all of it, **R** makes more.

**n** and **p** step through the differences that the filter kept; **Escape** goes back to them.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right", "step(1)", "Next", tooltip="The next difference of the list"),
        Binding("p,left", "step(-1)", "Previous", tooltip="The previous difference of the list"),
        Binding("o", "open_evidence", "Evidence", tooltip="Open what a replay kept of the pair"),
        Binding("i", "picture", "Picture", tooltip="Draw the page on which a replay ended"),
        Binding("escape,backspace", "back", "List", tooltip="Back to the list"),
    ]

    @dataclass
    class Looked(Message):
        """How the difference stands in the assessment on screen."""

        asked: Asked
        present: Present

    @dataclass
    class DetailLoaded(Message):
        """The journal has told all about a difference, as of the moment on screen."""

        asked: Asked
        detail: DifferenceDetail

    @dataclass
    class DetailFailed(Message):
        """The journal could not be read."""

        asked: Asked
        reason: str

    @dataclass
    class Explained(Message):
        """What each rule made of the pair, or why that is not known."""

        difference: Difference
        steps: tuple[Step, ...]
        trouble: str | None

    @dataclass
    class EvidenceFound(Message):
        """What is kept of the pair, or why that is not known."""

        difference_id: str
        kept: tuple[KeptEvidence, ...]
        trouble: str | None

    @dataclass
    class EvidenceOpened(Message):
        """It was opened, or why not."""

        words: str
        worked: bool

    @dataclass
    class PictureRead(Message):
        """The page on which a replay ended."""

        run: str
        pixels: Pixels

    def __init__(
        self, source: DetailSource, difference: Difference, among: Sequence[Difference]
    ) -> None:
        super().__init__()
        self._source = source
        self._difference = difference
        self._among = among
        self._at = among.index(difference)
        self._assessment: Assessment | None = None
        self._present = Present(difference, frozenset({difference.field}))
        self._asked: Asked | None = None
        self._explained: Difference | None = None

    def compose_body(self) -> ComposeResult:
        """Explanation, compared values, sides, steps, timeline, evidence."""
        yield Cell(id="headline")
        with VerticalScroll(id="detail"):
            yield Cell(id="explanation")
            yield ComparedValues()
            yield SideBySide()
            yield RuleSteps()
            yield Timeline()
            yield EvidencePanel()

    def target(self) -> Difference:
        """The difference shown."""
        return self._difference

    def paint(self, assessment: Assessment) -> None:
        """Show the difference as it is in `assessment`, and ask for its detail."""
        self._assessment = assessment
        self._show()

    def _show(self) -> None:
        one = self._difference
        self.query_one("#headline", Cell).show(
            f"{self._at + 1:,} of {len(self._among):,}   {kind_words(one.kind)}: "
            f"{plain(one.field.removeprefix('values.'))} at {plain(one.directory)}\n"
            f"job {plain(one.job_id)}, {plain(one.mode)}"
        )
        words = plain(one.explanation)
        if self._present.now is None:
            words = f"▲ At the moment shown this is not a difference. It was: {words}"
        self.query_one("#explanation", Cell).show(words)
        self.query_one(ComparedValues).show(one)
        if self._assessment is None:
            return
        before = self._asked
        other = before is None or before.difference.id != one.id
        if before is None or other or before.assessment is not self._assessment:
            if other:
                self.query_one(SideBySide).wait()
                self.query_one(Timeline).wait()
                self.find_evidence(one, ports_of(self.app).evidence)
            self._asked = Asked(one, self._assessment)
            self.load_detail(self._asked)
        # A comparison may take seconds: it is made again only if the difference is another one.
        if self._explained != one:
            self._explained = one
            self.query_one(RuleSteps).say("Comparing the pair …")
            self.load_steps(one, self._assessment.provenance.seq)

    @work(thread=True, exclusive=True, group="detail", exit_on_error=False)
    def load_detail(self, asked: Asked) -> None:
        """Look the difference up, then read both sides and the timeline."""
        worker = get_current_worker()
        present = look_up(asked.assessment.differences, asked.difference)
        if worker.is_cancelled:
            return
        self.post_message(self.Looked(asked, present))
        seq = asked.assessment.provenance.seq
        try:
            news: Message = self.DetailLoaded(asked, self._source.detail(asked.difference, seq))
        except ShadowError as error:
            news = self.DetailFailed(asked, str(error))
        if not worker.is_cancelled:
            self.post_message(news)

    @work(thread=True, exclusive=True, group="steps", exit_on_error=False)
    def load_steps(self, difference: Difference, seq: int) -> None:
        """Apply the rules one after the other."""
        try:
            news = self.Explained(difference, self._source.explain(difference, seq), None)
        except ShadowError as error:
            news = self.Explained(difference, (), str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    @work(thread=True, exclusive=True, group="evidence", exit_on_error=False)
    def find_evidence(self, difference: Difference, port: EvidencePort | None) -> None:
        """Look for what replays have kept."""
        kept: tuple[KeptEvidence, ...] = ()
        trouble = None if port else NO_EVIDENCE_PORT
        try:
            if port:
                kept = port.evidence(difference.job_id, difference.directory)
        except ShadowError as error:
            trouble = str(error)
        if not get_current_worker().is_cancelled:
            self.post_message(self.EvidenceFound(difference.id, kept, trouble))

    def on_difference_screen_looked(self, event: Looked) -> None:
        """Show it as it is at the moment on screen."""
        if event.asked is not self._asked:
            return
        self._present = event.present
        if event.present.now is not None:
            self._difference = event.present.now
        self._show()

    def on_difference_screen_detail_loaded(self, event: DetailLoaded) -> None:
        """Paint the answer, if it is still the one asked for."""
        if event.asked is not self._asked:
            return
        self.query_one(SideBySide).show(event.detail.sides, self._present.fields)
        self.query_one(Timeline).show(event.detail.timeline)

    def on_difference_screen_detail_failed(self, event: DetailFailed) -> None:
        """Say why there is no detail; the next look asks again."""
        if event.asked is not self._asked:
            return
        self._asked = None
        self.query_one(SideBySide).fail(event.reason)

    def on_difference_screen_explained(self, event: Explained) -> None:
        """Paint the steps; after trouble, the next difference asks again."""
        if event.difference is not self._explained:
            return
        if event.trouble is not None:
            self.query_one(RuleSteps).say(f"▲ {plain(event.trouble)}")
        else:
            self.query_one(RuleSteps).show(event.difference.field, event.steps)

    def on_difference_screen_evidence_found(self, event: EvidenceFound) -> None:
        """Paint what is kept."""
        if event.difference_id != self._difference.id:
            return
        panel = self.query_one(EvidencePanel)
        if event.trouble is not None:
            panel.say(plain(event.trouble))
        else:
            panel.show(event.kept)

    def action_open_evidence(self) -> None:
        """Open the newest evidence."""
        kept, port = self.query_one(EvidencePanel).kept, ports_of(self.app).evidence
        if port is None or not kept:
            self.notify("There is no evidence of this pair. R replays it and keeps some.")
            return
        self.open_kept(port, kept[0])

    def action_picture(self) -> None:
        """Draw the newest picture; open it where the terminal has too few colours."""
        kept, port = self.query_one(EvidencePanel).kept, ports_of(self.app).evidence
        if port is None or not kept or self.app.console.color_system not in _ENOUGH_COLOURS:
            self.action_open_evidence()
            return
        self.read_picture(port, kept[0])

    @work(thread=True, exclusive=True, group="open", exit_on_error=False)
    def read_picture(self, port: EvidencePort, kept: KeptEvidence) -> None:
        """Read and unpack it."""
        from harness.tui.picture import read_png

        news: Message
        try:
            data = port.picture(kept)
            if data is None:
                news = self.EvidenceOpened(f"Run {kept.run} has kept no picture.", False)
            else:
                news = self.PictureRead(kept.run, read_png(data))
        except ShadowError as error:
            news = self.EvidenceOpened(f"{error} o opens it.", False)
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_difference_screen_picture_read(self, event: PictureRead) -> None:
        """Draw it above this screen, unless something else is in front by now."""
        from harness.tui.screens.picture import PictureScreen

        if self.app.screen is self:
            title = f"Where the replay {plain(event.run)} ended"
            self.app.push_screen(PictureScreen(title, event.pixels))

    @work(thread=True, exclusive=True, group="open", exit_on_error=False)
    def open_kept(self, port: EvidencePort, kept: KeptEvidence) -> None:
        """Start the viewer, or write a page."""
        try:
            news = self.EvidenceOpened(port.open_evidence(kept), True)
        except ShadowError as error:
            news = self.EvidenceOpened(str(error), False)
        self.post_message(news)

    def on_difference_screen_evidence_opened(self, event: EvidenceOpened) -> None:
        """Say what was opened."""
        severity = "information" if event.worked else "warning"
        self.notify(event.words, severity=severity, markup=False)  # type: ignore[arg-type]

    def action_step(self, by: int) -> None:
        """Show the next or previous difference of the list."""
        at = self._at + by
        if not 0 <= at < len(self._among):
            self.notify("This is the last one." if by > 0 else "This is the first one.")
            return
        self._at = at
        self._difference = self._among[at]
        self._present = Present(self._difference, frozenset({self._difference.field}))
        self.query_one("#detail").scroll_home(animate=False)
        self._show()

    def action_back(self) -> None:
        """Go back to the list."""
        self.dismiss()


def look_up(differences: Sequence[Difference], wanted: Difference) -> Present:
    """How `wanted` stands among `differences`, and which fields of its pair disagree there."""
    pair = (wanted.job_id, wanted.directory, wanted.mode)
    found = [one for one in differences if (one.job_id, one.directory, one.mode) == pair]
    return Present(
        next((one for one in found if one.id == wanted.id), None),
        frozenset(one.field for one in found),
    )
