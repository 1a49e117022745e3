"""The kinds of gates and what each may say. Pure data; judges nothing."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

ID = r"^[a-z][a-z0-9_-]*$"


class _Gate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str = Field(pattern=ID)
    title: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    """Who acts on it."""
    when_red: str = Field(min_length=1)
    """What to do when it fails."""
    why: str = ""
    """Why this threshold, where others are in use too."""
    required: bool = True
    """A gate that is not required is shown and decides nothing."""
    waivable: bool = True
    """Whether a named person may take its risk."""


class StatisticalGate(_Gate):
    """What every gate has that is judged by evidence over jobs."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """One-sided error probability of a false pass, at all looks together."""
    n_min: int = Field(default=30, ge=1)
    """Fewer jobs never decide: with one or two, a single failure would."""
    coverage_floor: float = Field(default=0.9, ge=0, le=1)
    """Least share of the admitted jobs that must be measured."""
    package: tuple[int, ...] = ()
    """Only jobs of these package sizes; none: every job."""

    @property
    def scope(self) -> str:
        """What it is about, in words; empty where it is about everything."""
        return f"package {', '.join(map(str, self.package))}" if self.package else ""


class MeanAtLeast(StatisticalGate):
    """The mean of a share per job is above a threshold."""

    kind: Literal["mean_at_least"]
    measure: Literal["agreement", "success"]
    threshold: float = Field(gt=0, lt=1)
    fail_below: float | None = Field(default=None, gt=0, lt=1)
    """It fails only if the mean is below this, where that is not the threshold itself."""
    directory: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Globs over hosts: only submissions to these; none: every one."""

    @property
    def scope(self) -> str:
        """What it is about, in words; empty where it is about everything."""
        return "; ".join(filter(None, (", ".join(self.directory), super().scope)))


class QuantileBelow(StatisticalGate):
    """A percentile of a latency is below a number of seconds."""

    kind: Literal["quantile_below"]
    measure: Literal["end_to_end"]
    quantile: float = Field(gt=0, lt=1)
    threshold_s: float = Field(gt=0)


class ZeroCount(_Gate):
    """Nothing of a kind may happen; the first confirmed case fails."""

    kind: Literal["zero_count"]
    measure: Literal[
        "lost_jobs",
        "dead_letters",
        "prefect_errors",
        "replay_escapes",
        "critical_findings",
        "leftovers",
    ]
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """For the rate that zero cases so far do not exclude; lost_jobs only."""
    n_min: int = Field(default=30, ge=1)
    """Fewer jobs than this with an outcome leave lost_jobs open."""
    coverage_floor: float = Field(default=0.9, ge=0, le=1)
    """Least share of the recorded time that samples must cover; dead_letters and prefect_errors."""


class AllProcessed(_Gate):
    """Every admitted job came out at the candidate's end; a census, not an estimate."""

    kind: Literal["all_processed"]


class SteadyFor(_Gate):
    """A level has stayed within its limit for so long, up to the end of the record."""

    kind: Literal["steady_for"]
    measure: Literal["queue_depth", "dead_letter_depth", "stale_workers", "stuck_jobs"]
    at_most: int = Field(ge=0)
    """The highest level that is still well."""
    hours: float = Field(default=48.0, gt=0)
    coverage_floor: float = Field(default=0.9, ge=0, le=1)
    """Least share of these hours that samples must cover."""


class UnusedFor(_Gate):
    """Nothing has used the old system for so long."""

    kind: Literal["unused_for"]
    measure: Literal["old_path"]
    days: float = Field(gt=0)


class RampGate(_Gate):
    """Every stage of traffic was passed through, and no gate of the phase failed in one."""

    kind: Literal["ramp"]
    stages: tuple[Annotated[float, Field(gt=0, le=100)], ...] = Field(min_length=1)
    """Percent of traffic, in the order in which they come."""
    n_min: int = Field(default=30, ge=1)
    """Jobs that must have been seen at each."""


class AttestationGate(_Gate):
    """A named person has stated it, and the statement has not expired."""

    kind: Literal["attestation"]
    name: str = Field(pattern=ID)
    at_most_s: float | None = Field(default=None, gt=0)
    """What a drill must not exceed, in seconds; then the statement has to say what it took."""


PlainGate: TypeAlias = (
    MeanAtLeast | QuantileBelow | ZeroCount | AllProcessed | SteadyFor | UnusedFor | AttestationGate
)
"""Gates that are judged by themselves; a ramp is judged by what the others say of each stage."""
Gate = Annotated[PlainGate | RampGate, Field(discriminator="kind")]
KINDS: dict[str, type[_Gate]] = {
    "mean_at_least": MeanAtLeast,
    "quantile_below": QuantileBelow,
    "zero_count": ZeroCount,
    "all_processed": AllProcessed,
    "steady_for": SteadyFor,
    "unused_for": UnusedFor,
    "ramp": RampGate,
    "attestation": AttestationGate,
}
