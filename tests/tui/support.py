"""A stand-in for the data, and how a test drives the dashboard. Reads no journal, no clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from textual.app import App
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from harness.assess.criteria import shipped_rules
from harness.assess.job_search import JobSearch
from harness.assess.rules_file import proposed_rules
from harness.assess.weighing import Weighed
from harness.assessment import (
    Assessment,
    Difference,
    DifferenceDetail,
    EventView,
    JobDetail,
    JobEvent,
    JobPage,
    JobRow,
    JobSubmission,
    SubmissionView,
)
from harness.compare.explain import Step
from harness.compare.rules import Rule
from harness.compare.trial import Trial
from harness.errors import JournalBusyError
from harness.journal.verify import Verification
from harness.model import Outcome, Verdict
from harness.record.status import Health
from harness.tui.app import ShadowApp
from harness.tui.looked import FilesNow, Moment, RuleSaid, Snapshot
from harness.tui.widgets.navigation import SCREENS
from tests.support.assessments import AS_OF, PLANTED_PHONE, make_assessment, make_provenance
from tests.support.differences import job_id

TAKEN_AT = AS_OF + timedelta(seconds=3.2)
NEVER_S = 3600.0
"""A refresh that no test waits for; a test asks for another look itself."""
DEADLINE_S = 60.0

NAMED_KEYS = {
    "backspace", "ctrl+c", "ctrl+p", "ctrl+s", "ctrl+t", "down", "end", "enter", "escape", "home",
    "pagedown", "pageup", "question_mark", "right", "slash", "space", "tab", "up",
}  # fmt: skip

Scenario = Callable[[Pilot[int]], Awaitable[None]]
W = TypeVar("W", bound=Widget)


class FakeData:
    """Answers from a table of assessments; a test changes it as the journal would change."""

    def __init__(self, now: Assessment | None = None) -> None:
        self.now: Assessment | None = now or make_assessment()
        self.trouble: str | None = None
        self.fault: Exception | None = None
        self.steps: dict[tuple[int, bool], int] = {}
        self.busy = False
        self.loaded: list[Moment | None] = []
        self.asked: list[tuple[str, Moment | None]] = []
        self.rows = make_job_rows()
        self.health = Health(
            well=True,
            words="week.duckdb: recording, complete until 2026-11-23T08:29:59+00:00",
            status={"updated_at": AS_OF.isoformat(), "lock_retries": 7, "rows": 4017},
        )
        self.verification = Verification(
            events=4236, batches=1918, sealed=1918, hash="5e" * 32, problems=()
        )
        self.weighed: list[tuple[str, str, Moment | None]] = []

    def load(self, as_of: Moment | None) -> Snapshot:
        """What the journal said at `as_of`: the same week, with another moment on it."""
        self.loaded.append(as_of)
        if self.fault:
            raise self.fault
        assessment = self.now
        if assessment and as_of is not None:
            at = as_of if isinstance(as_of, datetime) else AS_OF - timedelta(days=2)
            seq = as_of if isinstance(as_of, int) else 2000
            assessment = replace(assessment, provenance=make_provenance(seq=seq, as_of=at))
        return Snapshot(assessment=assessment, trouble=self.trouble, taken_at=TAKEN_AT)

    def close(self) -> None:
        """Nothing is open."""

    def drop(self) -> None:
        """Nothing takes long."""

    def prepare(self, seq: int) -> bool:
        """Nothing is kept."""
        return False

    def stop_preparing(self) -> None:
        """Nothing runs."""

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """Both sides of an invented submission."""
        self.asked.append((difference.id, as_of))
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        return make_detail(difference)

    def jobs(self, search: JobSearch, *, offset: int, limit: int, as_of: Moment | None) -> JobPage:
        """The invented jobs whose id holds every word."""
        self.asked.append((" ".join(search.words), as_of))
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        found = [row for row in self.rows if all(word in row.job_id for word in search.words)]
        return JobPage(
            seq=as_of if isinstance(as_of, int) else 0,
            found=len(found),
            jobs=len(self.rows),
            offset=offset,
            rows=tuple(found[offset : offset + limit]),
        )

    def job(self, job_id: str, as_of: Moment | None) -> JobDetail | None:
        """An invented job in full."""
        self.asked.append((job_id, as_of))
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        return make_job_detail(job_id) if any(row.job_id == job_id for row in self.rows) else None

    def files_now(self) -> FilesNow:
        """A recorder that does its work."""
        return FilesNow(taken_at=TAKEN_AT, bytes=48_200_000, recorder=self.health)

    def verify(self) -> tuple[datetime, Verification]:
        """Whatever the test wants it to find."""
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        return TAKEN_AT, self.verification

    def rules(self) -> tuple[Rule, ...]:
        """The shipped rules."""
        return shipped_rules().rule

    def weigh_rule(self, name: str, as_of: Moment | None) -> Weighed:
        """Two differences are hidden, one of them a real fault."""
        return self._weigh(("weigh", name), as_of)

    def try_rule(self, rule: str, said: RuleSaid, as_of: Moment | None) -> Weighed:
        """The same, once it has been checked as the real data checks it."""
        proposed_rules(rule)
        return self._weigh(("try", rule), as_of)

    def _weigh(self, what: tuple[str, str], as_of: Moment | None) -> Weighed:
        self.weighed.append((*what, as_of))
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        return make_weighed()

    def explain(self, difference: Difference, as_of: Moment | None) -> tuple[Step, ...]:
        """As recorded, and after one rule."""
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        return make_steps(difference)

    def seq_at(self, at: datetime) -> int:
        """As if 100 events had come each hour."""
        return 4236 - round((AS_OF - at).total_seconds() / 36)

    def step(self, seq: int, *, forward: bool) -> int | None:
        """Where the test has said that a step leads."""
        return self.steps.get((seq, forward))


class FakeTask:
    """A rehearsal whose course the test sets."""

    def __init__(self) -> None:
        self.line = "rehearsal: traffic 34 of 60 jobs"
        self.share: float | None = 0.57
        self.done = False

    def status(self) -> str:
        """The line."""
        return self.line

    def progress(self) -> float | None:
        """The share."""
        return self.share

    def finished(self) -> bool:
        """Whether the test has ended it."""
        return self.done


def key_of(mode: str) -> str:
    """The key that opens a screen, wherever it stands in the line of screens."""
    return str(1 + [name for name, _ in SCREENS].index(mode))


def make_side(side: str, outcome: Outcome, **changes: Any) -> SubmissionView:
    """One side of an invented submission."""
    values: dict[str, Any] = {
        "side": side,
        "mode": "live",
        "outcome": outcome,
        "error_class": None,
        "error_text": None,
        "attempts": 1,
        "started_at": AS_OF - timedelta(minutes=40),
        "finished_at": AS_OF - timedelta(minutes=39, seconds=2),
        "duration_s": 58.3,
        "url": "https://www.harbourpages.example/add-listing/",
        "values": (("name", "Juniper & Pine Upholstery"), ("phone", PLANTED_PHONE[0])),
    }
    return SubmissionView(**{**values, **changes})


def make_job_row(number: int, **verdicts: int) -> JobRow:
    """An invented job; verdicts by their names."""
    counts = {"agree": 5} | verdicts
    open_ = bool(counts.get("in_flight"))
    whole = not any(counts.get(word) for word in ("mismatch", "missing_candidate"))
    status = "open" if open_ else "all_ok" if whole else "partial"
    return JobRow(
        job_id=job_id(number),
        created_at=AS_OF - timedelta(hours=2.6 * number),
        package_size=(50, 100, 300)[number % 3],
        priority=1 + number % 4,
        control_word="completed" if number % 5 else "failed",
        candidate_word=None if open_ else "completed",
        control_status="open" if open_ else "all_ok",
        candidate_status=status,
        verdicts=tuple((verdict, counts.get(verdict.value, 0)) for verdict in Verdict),
    )


def make_job_rows(jobs: int = 60) -> tuple[JobRow, ...]:
    """The newest is in flight, every fourth differs somewhere, one was lost."""
    return tuple(
        make_job_row(
            number,
            in_flight=2 if number == 1 else 0,
            mismatch=int(number % 4 == 0),
            missing_candidate=3 if number == 7 else 0,
        )
        for number in range(1, jobs + 1)
    )


def make_job_detail(job: str) -> JobDetail:
    """A job of four directories that the old system works off in twenty minutes."""
    begun = AS_OF - timedelta(hours=2)
    hosts = ("harbourpages.example", "maple-listings.example", "birch-index.test", "elm.example")
    verdicts = (Verdict.AGREE, Verdict.MISMATCH, Verdict.MISSING_CANDIDATE, Verdict.AGREE)
    submissions = tuple(
        JobSubmission(
            mode="live",
            directory=host,
            verdict=verdict,
            control_outcome="submitted",
            candidate_outcome={
                Verdict.AGREE: "submitted", Verdict.MISMATCH: "failed",
            }.get(verdict),
            control_error=None,
            candidate_error="captcha" if verdict is Verdict.MISMATCH else None,
            control_s=58.3 + place,
            candidate_s=8.1 if verdict is not Verdict.MISSING_CANDIDATE else None,
        )
        for place, (host, verdict) in enumerate(zip(hosts, verdicts, strict=True))
    )  # fmt: skip
    events = [JobEvent(seq=400, occurred_at=begun, lane="job", directory=None, text="job pending")]
    for place, host in enumerate(hosts):
        for lane, after, text in (
            ("candidate", 4.0 + 9 * place, "submitting"),
            ("candidate", 12.0 + 9 * place, 'failed error="[bold]captcha[/bold]"'),
            ("control", 300.0 * (place + 1), "status submitting"),
            ("control", 300.0 * (place + 1) + 58, "status submitted"),
        ):
            events.append(
                JobEvent(
                    seq=401 + len(events), occurred_at=begun + timedelta(seconds=after), lane=lane,
                    directory=host, text=text,
                )
            )  # fmt: skip
    return JobDetail(
        seq=4236,
        row=replace(make_job_row(1, agree=2, mismatch=1, missing_candidate=1), job_id=job),
        submissions=submissions,
        events=tuple(sorted(events, key=lambda event: event.occurred_at)),
        events_before=0,
    )


def make_detail(difference: Difference) -> DifferenceDetail:
    """Control and candidate with four events; the candidate met a captcha."""
    texts = (
        ("jobs", "job pending"),
        ("queue_history", "flow_triggered flow_run=9f2"),
        ("directory_submissions", "status submitted"),
        ("queue_history", 'failed error="\x1b[31mred\x1b[0m [bold]captcha[/bold]"'),
    )
    return DifferenceDetail(
        difference=difference,
        sides=(
            make_side("control", Outcome.SUBMITTED),
            make_side(
                "candidate",
                Outcome.FAILED,
                error_class="captcha",
                error_text="[reCAPTCHA] intercepts pointer events",
                values=(("name", "Juniper & Pine Upholstery"), ("phone", PLANTED_PHONE[1])),
            ),
        ),
        timeline=tuple(
            EventView(
                seq=400 + 31 * number,
                occurred_at=AS_OF - timedelta(minutes=41 - number, milliseconds=250),
                source="production",
                kind=kind,
                text=text,
            )
            for number, (kind, text) in enumerate(texts)
        ),
    )


def make_weighed(*, faults: bool = True) -> Weighed:
    """What a rule on trial hides of the invented week."""
    assessment = make_assessment()
    shown = assessment.differences
    hidden = shown[:2]
    return Weighed(
        trial=Trial(
            shown=shown, hidden=hidden, faults=hidden[:1] if faults else (), appeared=(),
            clusters=assessment.clusters[:1], hidden_pairs=2, set_apart=0,
        ),
        without=0.931, with_them=0.962, seq=assessment.provenance.seq,
    )  # fmt: skip


def make_steps(difference: Difference) -> tuple[Step, ...]:
    """A field as recorded and after one rule, and a rule about pairs that is not about this one."""

    def step(field: str, rule: str, effect: str, control: str | None, candidate: str | None,
             agrees: bool = False) -> Step:  # fmt: skip
        return Step(
            pair="6f1d00c2a9e4", mode=difference.mode, job_id=difference.job_id,
            directory=difference.directory, field=field, rule=rule, effect=effect,
            control=control, candidate=candidate, agrees=agrees,
        )  # fmt: skip

    one = difference
    return (
        step("pair", "test-directories", "not about this pair", "submitted", "failed", True),
        step(one.field, "recorded", "as recorded", one.control_raw, one.candidate_raw),
        step(one.field, (one.rules or ("trim-space",))[-1], "both changed", one.control_value,
             one.candidate_value),
        step("values.city", "recorded", "as recorded", "Alder Falls", "Alder Falls", True),
    )  # fmt: skip


def make_app(data: FakeData | None = None, **options: Any) -> ShadowApp:
    """The dashboard on a stand-in, looking again only when told to; nothing moves by itself."""
    return at_rest(ShadowApp(data or FakeData(), **{"refresh_s": NEVER_S, **options}))


def at_rest(app: ShadowApp) -> ShadowApp:
    """Without animation: what stands on the screen does not depend on when a test looks."""
    app.animation_level = "none"
    return app


def drive(
    app: ShadowApp,
    scenario: Scenario,
    *,
    size: tuple[int, int] = (120, 40),
    messages: list[Message] | None = None,
    first: tuple[str, ...] = (),
) -> ShadowApp:
    """Run `app` without a terminal and let `scenario` use it; returns it after the end.

    first: keys pressed before the scenario begins.
    """

    async def main() -> None:
        hook = messages.append if messages is not None else None
        async with app.run_test(size=size, message_hook=hook, notifications=True) as pilot:
            await settle(pilot)
            await press(pilot, *first)
            await scenario(pilot)

    asyncio.run(main())
    return app


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until all workers have answered and their answers are painted."""
    app = pilot.app
    await pilot.pause()
    await until(pilot, lambda: not getattr(app.screen, "is_typing", False))
    await until(pilot, lambda: not any(worker.is_running for worker in app.workers))
    await pilot.pause()


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app go on until `condition` holds; AssertionError after the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await pilot.pause()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other, each after the effect of the one before.

    A text of several letters that names no key is typed at once.
    """
    for key in keys:
        await pilot.press(*(key if key not in NAMED_KEYS else (key,)))
        await settle(pilot)


async def look_again(pilot: Pilot[Any]) -> None:
    """What the refresh timer does."""
    app = pilot.app
    assert isinstance(app, ShadowApp)
    app.look(app.view.as_of)
    await settle(pilot)


def text_of(app: App[Any]) -> str:
    """What stands on the screen, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


def aware(text: str) -> datetime:
    """An ISO time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
