"""What a run is asked to do, how it stands, and what a known run keeps of its first start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from harness.errors import ReplayError
from harness.model import LIVE
from replay.collector.pool import PoolConfig
from replay.events import RunRecord
from replay.schedule import Schedule
from replay.selection import Pair, Selection
from replay.worker.contract import Timeouts

_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WORDS = ("jobs", "since", "until", "outcomes", "pairs", "sample", "limit", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayConfig:
    """What to replay and how."""

    run: str
    """Name of the run: letters, digits, dot, dash and underscore."""
    jobs: tuple[str, ...] = ()
    """Only these; all where empty."""
    since: datetime | None = None
    """Only what the control began at this moment or later."""
    until: datetime | None = None
    """Only what the control began before this moment."""
    outcomes: tuple[str, ...] = ()
    """Only what the control ended so."""
    pairs: tuple[Pair, ...] | None = None
    """Only these (job, directory); all where None."""
    sample: int | None = None
    """So many jobs, by chance."""
    limit: int | None = None
    """So many submissions, the excluded ones among them."""
    seed: int | None = None
    """Shuffles the submissions; without it they keep the control's order of jobs."""
    like: str | None = None
    """Select what this run selected, as of the same moment."""
    schedule: Schedule | None = None
    """None: as soon as possible, or as the run was started."""
    concurrency: int | None = None
    """How many at once; None fits it to the machine while the run goes on."""
    max_minutes: float | None = None
    """Begin nothing more after this time; the run can be continued."""
    evidence: int = 0
    """So many of those that differ are carried out once more with evidence on."""
    evidence_mb: float = 500.0
    """Evidence of all runs beside this journal is kept up to this size, the newest of it."""
    browser: Path | None = None
    """The Chromium to use; found by itself otherwise."""
    sites: Mapping[str, str] = field(default_factory=dict)
    """Kinds of site by host, where a person says more than the record."""
    archetypes: Path | None = None
    """Folder of captured kinds."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """Of the built-in worker; also what tells that any worker is stuck."""
    resume: bool = False
    """The run must be there already."""
    pool: PoolConfig | None = None
    """Machines that carry it out; None for this one alone."""

    @property
    def selection(self) -> Selection:
        """The words that select."""
        return Selection(**{name: getattr(self, name) for name in _WORDS})

    def selecting(self, selection: Selection) -> ReplayConfig:
        """The same with other words that select."""
        return replace(self, **{name: getattr(selection, name) for name in _WORDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayState:
    """How far a run is."""

    run: str
    selected: int = 0
    done: int = 0
    """Submissions with an outcome."""
    excluded: int = 0
    agreeing: int = 0
    """Of those done: the worker claims what the control's record says."""
    differing: int = 0
    """Of those done: it claims otherwise, or something else than the site saw."""
    unconfirmed: int = 0
    """Of those done: it claims "submitted" for what the site never accepted."""
    crashed: int = 0
    overloaded: int = 0
    """Of those done: timed out while the machine was starved."""
    escapes: int = 0
    """Attempts to leave the sandbox, all of them stopped."""
    again: int = 0
    """Of those that differ: carried out once more."""
    to_repeat: int = 0
    """Of those that differ: still to be carried out once more."""
    flaky: int = 0
    """Of those carried out again: ended otherwise."""
    evidence: int = 0
    """Evidence kept by this call, what was dropped later included."""
    evidence_dropped: int = 0
    """Older evidence that this call dropped to keep to the size."""
    not_sealed_by: tuple[str, ...] = ()
    """Layers that this machine does not allow a worker's process."""
    machines: int = 0
    """Other machines that carried out parts of it in this call."""
    note: str | None = None
    """What hinders the run just now, and how to mend it."""
    at_once: int = 0
    """The most submissions that went on at once in this call, those that wait for sites apart."""
    lag_s: float = 0.0
    """How far this call fell behind its schedule at worst; 0 where there is none."""
    elapsed_s: float = 0.0
    """Of this call, without what a resumed run had done before."""
    rate_per_s: float | None = None
    """Submissions of this call a second, None before the first."""
    out_of_time: bool = False
    """This call ended because of `ReplayConfig.max_minutes`."""
    finished: bool = False
    """Every selected submission has its event, and what differs was looked at again."""

    @property
    def left(self) -> int:
        """Submissions without an event."""
        return self.selected - self.done - self.excluded

    @property
    def remaining_s(self) -> float | None:
        """How long the rest takes at the rate so far; None before the first."""
        return self.left / self.rate_per_s if self.rate_per_s else None


def check(config: ReplayConfig) -> None:
    """Raise ReplayError for what no run can be asked; names the field, the value and the mend."""
    if not _RUN_NAME.fullmatch(config.run) or config.run == LIVE:
        raise ReplayError(
            f"run = {config.run!r} is no name for a run. Use letters, digits, dot, dash and "
            f"underscore, 64 at most, and not {LIVE!r}, which is production."
        )
    for name in ("limit", "sample", "concurrency"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise ReplayError(f"{name} = {value}: give at least 1.")
    if config.max_minutes is not None and config.max_minutes <= 0:
        raise ReplayError(f"max_minutes = {config.max_minutes:g}: give more than 0.")
    if config.pool is not None and config.schedule is not None and config.schedule.speed:
        raise ReplayError(
            f"schedule = {config.schedule}: the prefect engine begins as soon as a machine is "
            "free. Leave it out, or give asap."
        )


def as_started(
    config: ReplayConfig, record: RunRecord, model: RunRecord | None, head: int
) -> tuple[ReplayConfig, int]:
    """What the run is really asked, and as of which seq it selects.

    A known run keeps what it was started with; a new one takes that of `model`, the run it is to
    be like. head: the journal's newest seq. Raises ReplayError if they contradict.
    """
    if config.resume and record.started is None:
        raise ReplayError(
            f"run = {config.run}: the journal holds no such run. Start it with --run {config.run}"
        )
    if model is not None and model.started is None:
        raise ReplayError(
            f"against = {config.like}: the journal holds no such run. "
            "Give the name of a replay run."
        )
    began, name = record.started, config.run
    if began is None and model is not None:
        began, name = model.started, str(config.like)
    if began is None:
        return config, head
    selection = Selection.of_payload(began)
    if (conflict := config.selection.conflict_with(selection)) is not None:
        word, given, first = conflict
        raise ReplayError(
            f"{word} = {_told(given)}: run {name} was started with {_told(first) or 'none'}. "
            "Give another --run, or leave it out."
        )
    resumed = replace(config.selecting(selection), timeouts=Timeouts(**began["timeouts"]))
    if record.started is not None and config.schedule is None and "schedule" in began:
        resumed = replace(resumed, schedule=Schedule.parse(began["schedule"]))
    return resumed, int(began["as_of_seq"])


def _told(value: object) -> str:
    """A word as a person writes it; nothing of what was not given."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case tuple():
            words = ["/".join(one) if isinstance(one, tuple) else str(one) for one in value]
            return ",".join(words[:3]) + (" …" if len(words) > 3 else "")
        case _:
            return str(value)
