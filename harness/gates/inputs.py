"""What the gates are judged on: one immutable bundle of evidence. Values only, no I/O.

None always means "nobody has looked": a gate that needs it stays open. Arrays have one value
per job in the control's order `(created_at, job_id)`, never by completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from harness.stats.checks import FloatArray, StatsInputError, bounds_pair, check_count, check_share
from harness.stats.quantiles import States, durations

SAMPLES_APART_S = 600.0
"""The time between two samples counts as seen if they are no further apart; real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How far the samples of one source cover the record; the default: it was never asked."""

    samples: int = 0
    share: float = 0.0
    """Share of the recorded time that lies between two samples close to each other."""
    behind_s: float = 0.0
    """From the newest sample to the end of the record."""
    unseen: tuple[str, ...] = ()
    """What the samples leave out all the same, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What a named person has stated about something that no machine can measure."""

    text: str
    """Who said what and until when it counts, as it is to be shown."""
    valid: bool
    """False once it has expired or was withdrawn."""
    holds: bool = True
    """False where the person attests the contrary (for example: there were complaints)."""
    took_s: float | None = None
    """What a drill took, in seconds; None where nothing was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How high something stood at one moment."""

    at: datetime
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What was seen of one level; the default: nobody looked."""

    seen: tuple[Level, ...] = ()
    """In order of time."""
    apart_s: float | None = SAMPLES_APART_S
    """The time between two of them counts as seen if they are no further apart, in real seconds;
    None for a level that the record itself tells at every moment, from the first one on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldPath:
    """The last sign that something used the old system."""

    at: datetime | None
    """None where the record shows no sign at all."""
    words: str = ""
    """What it was."""


def _none() -> FloatArray:
    return np.zeros(0)


def _no_states() -> States:
    return np.zeros(0, dtype=np.int8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scoped:
    """The evidence of one gate that is about some jobs or directories only; as in `GateInputs`."""

    agreement_low: FloatArray = field(default_factory=_none)
    agreement_high: FloatArray = field(default_factory=_none)
    success_low: FloatArray = field(default_factory=_none)
    success_high: FloatArray = field(default_factory=_none)
    control_success: float | None = None
    end_to_end_s: FloatArray = field(default_factory=_none)
    end_to_end_state: States = field(default_factory=_no_states)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageInputs:
    """The evidence of one stage of traffic."""

    percent: float
    since: datetime
    until: datetime | None
    """None for the stage that goes on."""
    inputs: GateInputs
    """Over the jobs created in it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateInputs:
    """The evidence as of one moment.

    Raises StatsInputError naming the field that is outside its domain.
    """

    agreement_low: FloatArray = field(default_factory=_none)
    """Per compared job: agreeing submissions / compared ones, every pending one disagreeing."""
    agreement_high: FloatArray = field(default_factory=_none)
    """The same, every pending one agreeing; equal to `agreement_low` for a settled job."""
    success_low: FloatArray = field(default_factory=_none)
    """Per admitted job: share that the candidate submitted, every pending one failing."""
    success_high: FloatArray = field(default_factory=_none)
    """The same, every pending one submitted."""
    control_success: float | None = None
    """The control's mean share of submitted ones, to compare with; decides nothing."""
    end_to_end_s: FloatArray = field(default_factory=_none)
    """Per admitted job, candidate: seconds from created to finished; elapsed if running."""
    end_to_end_state: States = field(default_factory=_no_states)
    """Per admitted job: a `harness.stats.quantiles.DurationState`."""
    admitted_jobs: int = 0
    """Jobs that the candidate should have processed."""
    processed_jobs: int = 0
    """Of these, jobs that came out at the candidate's end with an outcome."""
    pending_jobs: int = 0
    """Of these, jobs without an outcome that are still within their deadline."""
    confirmed_losses: Mapping[str, int] | None = None
    """Confirmed cases per kind of leak, 0 where a kind was looked for and not found. None or
    empty: nobody looked."""
    coverage: float | None = None
    """Share of the admitted jobs that could be compared."""
    recording_gaps: tuple[str, ...] = ()
    """Stretches of production that no later sweep has made good, in words. A gap in the samples of
    a queue or of Prefect is none of these: it shows in their `Sampling`."""
    recording_complete: bool | None = None
    """True if a sound reading proves that every row about these jobs is in the journal."""
    dlq_depth: int | None = None
    """Messages seen in the dead-letter queue."""
    dlq_sampling: Sampling = Sampling()
    prefect_errors: Mapping[str, int] | None = None
    """Per kind (failed, crashed and late flow runs, a missing deployment) what was seen, 0 where it
    was not. None: nobody looked."""
    prefect_sampling: Sampling = Sampling()
    attestations: Mapping[str, Attestation] = field(default_factory=dict)
    """By the name that a gate asks for."""
    replay_escapes: int | None = None
    """Attempts to leave the sandbox, over all replays; None if nothing was replayed."""
    critical_findings: Mapping[str, int] | None = None
    """By id, how many places each critical finding shows at. None: no detector has run."""
    unseen_by_findings: tuple[str, ...] = ()
    """Critical findings that say what could not be seen: evidence that is missing, not a fault."""
    leftovers: Mapping[str, int] | None = None
    """What is left of the old system, by kind, 0 where a kind was looked for and not found. None:
    nobody looked."""
    levels: Mapping[str, Levels] = field(default_factory=dict)
    """By the measure of a gate that wants a level to be steady."""
    old_path: OldPath | None = None
    """None: nobody looked."""
    record_end: datetime | None = None
    """Up to which the record is proved complete."""
    record_start: datetime | None = None
    """Where this evidence begins: with the record, or with the phase."""
    time_scale: float = 1.0
    """A rehearsal counts each recorded second this many times."""
    admitted_by_measure: Mapping[str, int] = field(default_factory=dict)
    """Admitted jobs since the sequence of a measure (agreement, success, end_to_end) began anew,
    where it did; `admitted_jobs` otherwise."""
    begun_anew: Mapping[str, str] = field(default_factory=dict)
    """By measure: why earlier jobs do not count for it, in words."""
    scoped: Mapping[str, Scoped] = field(default_factory=dict)
    """By gate, such as ``shadow.success_large``: the evidence of those with a scope."""
    stages: tuple[StageInputs, ...] = ()
    """The stages of traffic so far, in order of time; empty where none was marked."""
    attempt: int = 1
    """Which version of the candidate this is."""

    def __post_init__(self) -> None:
        for name in ("agreement", "success"):
            try:
                low, high = bounds_pair(getattr(self, f"{name}_low"), getattr(self, f"{name}_high"))
            except StatsInputError as error:
                raise StatsInputError(f"{name}_{error.argument}", _problem(error)) from None
            object.__setattr__(self, f"{name}_low", _frozen(low))
            object.__setattr__(self, f"{name}_high", _frozen(high))
        try:
            durations(self.end_to_end_s, self.end_to_end_state)
        except StatsInputError as error:
            field_name = {"seconds": "end_to_end_s", "states": "end_to_end_state"}[error.argument]
            raise StatsInputError(field_name, _problem(error)) from None
        object.__setattr__(self, "end_to_end_s", _frozen(self.end_to_end_s))
        states = np.array(self.end_to_end_state, dtype=np.int8)
        states.setflags(write=False)
        object.__setattr__(self, "end_to_end_state", states)
        for name in ("admitted_jobs", "processed_jobs", "pending_jobs"):
            check_count(name, getattr(self, name))
        check_count("attempt", self.attempt)
        for name in ("dlq_depth", "replay_escapes"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        for name in ("confirmed_losses", "prefect_errors", "critical_findings", "leftovers"):
            for kind, count in (getattr(self, name) or {}).items():
                check_count(f"{name}[{kind!r}]", count)
        for name in ("dlq_sampling", "prefect_sampling"):
            check_share(f"{name}.share", getattr(self, name).share)
        for name in ("coverage", "control_success"):
            if getattr(self, name) is not None:
                check_share(name, getattr(self, name))


def _problem(error: StatsInputError) -> str:
    return str(error).removeprefix(error.argument).strip()


def _frozen(values: FloatArray) -> FloatArray:
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy
