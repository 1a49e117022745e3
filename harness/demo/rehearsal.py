"""Rehearses a shadow week from empty tables to a report, on real parts, in compressed time.

Starts everything, lets the actors act while the recorder records, replays, assesses, reports and
marks itself. Prints nothing: whoever runs it watches `status`, `progress` and the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.assess.build import assess
from harness.assess.calibrate import calibrate, read_material
from harness.assess.calibration_noted import calibrated_event
from harness.assess.criteria import Criteria, load_criteria
from harness.assess.noting import CriteriaSampler
from harness.assess.said import MarkPayload, said_event
from harness.assessment import Assessment
from harness.demo.actors.actor import ScaledClock, acting, wait_until_done
from harness.demo.actors.candidate import Candidate
from harness.demo.actors.control import Control
from harness.demo.actors.shop import Shop
from harness.demo.catalogue import load_directories
from harness.demo.faults import Fault, place
from harness.demo.folder import CONFIG, make_folder, prepare_settings
from harness.demo.planted import load_planted
from harness.demo.postgres import EmbeddedPostgres
from harness.demo.recording import Recording
from harness.demo.scoring import Score, score
from harness.demo.script import Result
from harness.demo.sqs import REGION, LocalSqs
from harness.demo.week import JOBS, make_week
from harness.errors import EnvironmentProblem
from harness.journal.store import Journal
from harness.model import Batch
from harness.record.progress import RecorderConfig, RecorderProgress
from harness.record.recorder import Recorder
from harness.record.samples.sampler import Sampler
from harness.record.samples.sqs import QueueSource
from harness.report.calibration_json import to_dict
from harness.report.write import write_report
from replay.browser import find_browser
from replay.worker.contract import Timeouts

if TYPE_CHECKING:
    from replay.run import ReplayState

SPEED = 100.0
"""Scaled seconds per real second."""
RUN = "rehearsal"
_TICK_S = 0.1
_SWEEP_S = 1.0
_SAMPLE_S = 2.0
_REPLAY_TIMEOUTS = Timeouts(goto_ms=3000, action_ms=3000, idle_ms=3000)
"""A site on loopback that has not answered by then never will."""
_SETTLE_S = 120.0
"""Scaled seconds beyond the deadline until silence is surely overdue."""
_BY = "the rehearsal"
_MARGIN_S = 120.0
"""Real seconds that the actors may need beyond what their scripts add up to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalOptions:
    """What to rehearse."""

    jobs: int = JOBS
    speed: float = SPEED
    faithful: bool = False
    """Nothing is planted: both sides do the same."""
    faults: tuple[Fault, ...] = ()
    """What is staged, instead of what a rehearsal plants otherwise."""
    browser: bool = True
    """False: no replay, so nothing checks what a site really received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalResult:
    """What came of it."""

    assessment: Assessment
    score: Score
    report: Path
    journal: Path
    config: Path


class Rehearsal:
    """One rehearsal in a folder of its own. Not to be run twice."""

    def __init__(self, options: RehearsalOptions, parent: Path) -> None:
        """Make the folder below `parent`. Raises BrowserError, EnvironmentProblem."""
        self.options = options
        self._browser = find_browser() if options.browser else None
        self.folder = make_folder(parent)
        self.stop = threading.Event()
        """Set it to end early; `run` then returns None and leaves a valid journal."""
        self.week = make_week(
            directories=load_directories(),
            planted=place(options.faults, jobs=options.jobs) if options.faults else load_planted(),
            jobs=options.jobs,
            faithful=options.faithful,
        )
        self.settings = prepare_settings(self.folder, speed=options.speed)
        self.criteria: Criteria = load_criteria(self.settings)
        self.journal = Journal.create(self.settings.journal)
        self._stage = "starting"
        self._actors: tuple[Shop, Control, Candidate] | None = None
        self._recorded: RecorderProgress | None = None
        self._replayed: ReplayState | None = None
        self._over = False

    @property
    def config(self) -> Path:
        """The settings file that reads this rehearsal's journal rightly."""
        return self.folder / CONFIG

    def run(self) -> RehearsalResult | None:
        """Rehearse from beginning to end; None if it was stopped."""
        try:
            self._live_week()
            if self._browser is not None and not self.stop.is_set():
                self._stage = "replay"
                self._replay(self._browser)
            if self.stop.is_set():
                self._stage = "stopped"
                return None
            self._stage = "report"
            result = self._conclude()
            self._stage = f"done, {result.assessment.decision.value}"
            return result
        finally:
            self._over = True

    def status(self) -> str:
        """One line: where the rehearsal stands."""
        match self._stage:
            case "traffic" if self._actors is not None:
                shop, control, candidate = self._actors
                rows = self._recorded.rows if self._recorded else 0
                return (
                    f"shadow week at {self.options.speed:g}×: {shop.created} of "
                    f"{self.options.jobs} jobs ordered, old poller finished {control.finished}, "
                    f"new stack {candidate.finished}; {rows:,} rows recorded"
                )
            case "replay" if self._replayed is not None:
                state = self._replayed
                return (
                    f"replay in the sandbox: {state.done + state.excluded} of {state.selected} "
                    f"submissions, {state.escapes} tried to leave"
                )
            case "replay":
                return "replay in the sandbox: opening the browser"
            case "report":
                return "comparing and writing the report"
            case "settling":
                return "waiting for the last deadlines"
            case other:
                return f"rehearsal: {other}"

    def progress(self) -> float | None:
        """Share of the whole that is done, from 0 to 1."""
        traffic_share = 0.55 if self.options.browser else 0.95
        if self._over:
            return 1.0
        if self._stage == "traffic" and self._actors is not None:
            _, control, candidate = self._actors
            done = control.finished + candidate.finished
            return traffic_share * min(1.0, done / (2 * self.options.jobs))
        if self._stage == "replay":
            state = self._replayed
            replayed = (state.done + state.excluded) / max(1, state.selected) if state else 0.0
            return traffic_share + (0.95 - traffic_share) * replayed
        return {"report": 0.97, "settling": traffic_share, "stopped": 1.0}.get(self._stage, 0.0)

    def finished(self) -> bool:
        """Whether `run` has come to its end, good or bad."""
        return self._over

    def _live_week(self) -> None:
        """Production's part: the actors act and the recorder records."""
        with ExitStack() as stack:
            postgres = stack.enter_context(EmbeddedPostgres())
            postgres.apply_schema()
            sqs = stack.enter_context(LocalSqs())
            self._say_what_begins()
            recorder = stack.enter_context(self._recording(postgres, sqs))
            recorder.wait_until_proved(self.stop, timeout_s=_MARGIN_S)
            clock = ScaledClock(self.options.speed)
            jobs, dsn, queue_url = self.week.jobs, postgres.dsn, sqs.queue_url
            actors = (
                Shop(jobs, dsn=dsn, sqs=sqs.client, queue_url=queue_url, clock=clock),
                Control(jobs, dsn=dsn, clock=clock),
                Candidate(jobs, dsn=dsn, sqs=sqs.client, queue_url=queue_url, clock=clock),
            )
            self._actors = actors
            self._stage = "traffic"
            with acting(actors):
                finished = wait_until_done(
                    actors,
                    stop=self.stop,
                    timeout_s=self._longest_s() / self.options.speed + _MARGIN_S,
                    check=recorder.check,
                )
                if not finished and not self.stop.is_set():
                    raise EnvironmentProblem(
                        f"rehearsal: the actors did not finish their week in time "
                        f"({self.status()}). Give it less with --speed or --jobs."
                    )
                self._stage = "settling"
                clock.wait_until(self._silent_until_s() + _SETTLE_S, self.stop)
                recorder.check()
            recorder.end()

    def _say_what_begins(self) -> None:
        """What a person would mark on the first day."""
        now = datetime.now(UTC)
        marks = (
            MarkPayload(what="deployment", value="rehearsed", by=_BY),
            MarkPayload(what="ramp", value="100", by=_BY),
        )
        events = tuple(said_event(mark, at=now) for mark in marks)
        self.journal.append(Batch(events=events, tier="operator"))

    def _longest_s(self) -> float:
        """Scaled seconds that the old poller, the slowest, needs at the most."""
        polls_s = 2 * 30.0 * len(self.week.jobs)
        return self.week.jobs[-1].created_offset_s + self.week.control_work_s + polls_s

    def _silent_until_s(self) -> float:
        """Scaled moment at which the last scripted silence is past its deadline."""
        begun = [
            job.created_offset_s + 300.0
            for job in self.week.jobs
            if not job.flow.in_order
            or any(a.result is Result.SILENT for row in job.submissions for a in row.candidate)
        ]
        return max(begun) + self.criteria.deadline_s if begun else 0.0

    @contextmanager
    def _recording(self, postgres: EmbeddedPostgres, sqs: LocalSqs) -> Iterator[Recording]:
        config = RecorderConfig(
            dsn=postgres.recorder_dsn,
            tick_s=_TICK_S,
            sweep_min_interval_s=_SWEEP_S,
            sweep_max_share=0.5,
            sample_every_s=_SAMPLE_S,
            sweep_event_every_s=5.0,
        )
        queues = QueueSource(
            queue_url=sqs.queue_url,
            dlq_url=sqs.dlq_url,
            region=REGION,
            client=sqs.client,
        )
        samplers: list[Sampler] = [queues, CriteriaSampler(self.settings)]
        recording = Recording(Recorder(config, self.journal, samplers=samplers), self._note_record)
        recording.start()
        try:
            yield recording
        finally:
            recording.end()

    def _replay(self, browser: Path) -> None:
        from replay.run import ReplayConfig, replay

        self._replayed = replay(
            self.journal,
            ReplayConfig(run=RUN, browser=browser, timeouts=_REPLAY_TIMEOUTS),
            stop=self.stop,
            on_progress=self._note_replay,
        )

    def _conclude(self) -> RehearsalResult:
        with self.journal.reader() as reader:
            material = read_material(reader, self.criteria, seed=0)
        calibrated = calibrated_event(
            to_dict(calibrate(material, self.criteria)), at=datetime.now(UTC)
        )
        self.journal.append(Batch(events=(calibrated,), tier="operator"))
        with self.journal.reader() as reader:
            assessment = assess(reader, self.criteria)
        paths = write_report(assessment, self.folder, formats=("html", "json"))
        return RehearsalResult(
            assessment=assessment,
            score=score(assessment, self.week.planted, replayed=self._browser is not None),
            report=paths["html"],
            journal=self.journal.path,
            config=self.config,
        )

    def _note_record(self, progress: RecorderProgress) -> None:
        self._recorded = progress

    def _note_replay(self, state: ReplayState) -> None:
        self._replayed = state
