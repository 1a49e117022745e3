"""What screens and app ask of the data, as small ports that a test can stand in for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from harness.assess.job_search import JobSearch
from harness.assessment import Difference, DifferenceDetail, JobDetail, JobPage
from harness.tui.looked import FilesNow, Moment, RuleSaid, Snapshot

if TYPE_CHECKING:
    from harness.assess.weighing import Weighed
    from harness.compare.explain import Step
    from harness.compare.rules import Rule
    from harness.journal.verify import Verification
    from harness.tui.kept.packing import Seen


class DetailSource(Protocol):
    """Tells all about one difference."""

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """Both sides and the timeline; ShadowError if the journal cannot be read."""

    def explain(self, difference: Difference, as_of: Moment | None) -> tuple[Step, ...]:
        """What each rule made of the pair; ShadowError if the journal cannot be read."""


class JobSource(Protocol):
    """Tells of jobs."""

    def jobs(self, search: JobSearch, *, offset: int, limit: int, as_of: Moment | None) -> JobPage:
        """A page of those that a search finds; ShadowError if the journal cannot be read."""

    def job(self, job_id: str, as_of: Moment | None) -> JobDetail | None:
        """One in full; None if it is not there. ShadowError if the journal cannot be read."""


class FileSource(Protocol):
    """Tells of the files as they are now, which no moment of the journal does."""

    def files_now(self) -> FilesNow:
        """Size of the journal and word of its recorder."""

    def verify(self) -> tuple[datetime, Verification]:
        """Check the journal now; ShadowError if it cannot be read."""


class RuleSource(Protocol):
    """Knows the rules and weighs them. Weighing compares the journal: in a worker only."""

    def rules(self) -> tuple[Rule, ...]:
        """Those that are in force, in their order."""

    def weigh_rule(self, name: str, as_of: Moment | None) -> Weighed:
        """Take a rule away and put it back; ShadowError if that cannot be done."""

    def try_rule(self, rule: str, said: RuleSaid, as_of: Moment | None) -> Weighed:
        """Weigh a rule that is only proposed; ShadowError if it is wrong."""


class TimeSource(Protocol):
    """Knows where in the journal a time stands."""

    def seq_at(self, at: datetime) -> int:
        """The last seq recorded by then, 0 before the first; ShadowError if it cannot be read."""


class Source(DetailSource, JobSource, FileSource, RuleSource, TimeSource, Protocol):
    """Everything the dashboard asks; `DashboardData` answers from a journal."""

    def load(self, as_of: Moment | None) -> Snapshot:
        """Assess as of a moment; trouble comes as words."""

    def step(self, seq: int, *, forward: bool) -> int | None:
        """The next or previous moment at which the journal grew."""

    def drop(self) -> None:
        """Nobody wants what `load` is at: it soon ends, and what it returns means nothing."""

    def close(self) -> None:
        """Nothing is asked any more: what is still being read may end."""

    def prepare(self, seq: int) -> bool:
        """Assess a moment and keep that look; say whether it is kept.

        ShadowError where `stop_preparing` came first.
        """

    def stop_preparing(self) -> None:
        """End it at once, for the sake of whoever waits for the processor."""


class LooksKept(Protocol):
    """Looks that were kept of this journal. Nothing here raises."""

    def newest(self) -> Seen | None:
        """What was the present when it was last seen."""

    def before(self, moment: Moment, *, last_seq: int | None) -> Seen | None:
        """The newest look at a moment or shortly before it."""

    def inside(self, first_seq: int, last_seq: int) -> int | None:
        """The seq of a look in the middle of these."""

    def seqs(self) -> list[int]:
        """The moments of all looks, in order."""

    def at(self, seq: int) -> Seen | None:
        """The look at a moment."""

    def wanted(self, last_seq: int) -> int | None:
        """Which moment is worth a look next; None where there are enough."""


class HasSource(Protocol):
    """What screens need of the app to ask anything."""

    source: Source


def source_of(app: object) -> Source:
    """What the dashboard asks, for a screen that the app made without arguments."""
    return cast("HasSource", app).source
