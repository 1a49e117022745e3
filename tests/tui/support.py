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

from harness.assessment import (
    Assessment,
    Difference,
    DifferenceDetail,
    EventView,
    SubmissionView,
)
from harness.errors import JournalBusyError
from harness.model import Outcome
from harness.tui.app import ShadowApp
from harness.tui.data import Moment, Snapshot
from tests.support.assessments import AS_OF, PLANTED_PHONE, make_assessment, make_provenance

TAKEN_AT = AS_OF + timedelta(seconds=3.2)
NEVER_S = 3600.0
"""A refresh that no test waits for; a test asks for another look itself."""
DEADLINE_S = 60.0

NAMED_KEYS = {
    "backspace", "ctrl+c", "ctrl+p", "down", "end", "enter", "escape", "home", "question_mark",
    "slash",
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

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """Both sides of an invented submission."""
        self.asked.append((difference.id, as_of))
        if self.busy:
            raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")
        return make_detail(difference)

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


def make_app(data: FakeData | None = None, **options: Any) -> ShadowApp:
    """The dashboard on a stand-in, looking again only when told to."""
    return ShadowApp(data or FakeData(), **{"refresh_s": NEVER_S, **options})


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
