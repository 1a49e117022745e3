"""What advice on a ramp rests on and aims at: values only, as of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.assessment import GateResult
from harness.plan.stages import DeclaredStage
from harness.stats.checks import FloatArray
from harness.stats.power import WHOLE_JOBS, JobModel
from harness.stats.representative import MixComparison, SampledShare


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMix:
    """Sampled against unsampled jobs by one feature; None where it cannot be judged."""

    feature: str
    found: MixComparison | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSample:
    """What was in the shadow during one stage."""

    declared: DeclaredStage
    hours: float
    jobs: int
    """All jobs created in it."""
    in_shadow: int
    share: SampledShare | None
    """None at 100 %, where every job is in."""
    mixes: tuple[NamedMix, ...] = ()
    agreement: tuple[float, float] | None = None
    """At half of alpha; None where nothing was compared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RampEvidence:
    """Everything that advice rests on, as of one moment; of the jobs in the shadow only."""

    stages: tuple[StageSample, ...]
    """The last is the present one."""
    jobs_per_hour: float
    """All jobs, in the shadow or not."""
    gates: tuple[GateResult, ...]
    """Those of load are judged on the present stage alone."""
    seen: Mapping[str, FloatArray]
    """Per gate of a mean or a percentile: its settled values, in the control's order."""
    harmed_low: FloatArray
    """1 for a job that was lost or failed as a whole."""
    harmed_high: FloatArray
    lost: int
    failed: int
    ended_in_stage: int
    """Jobs of the present stage with an outcome."""
    record_lacks: tuple[str, ...] = ()
    model: JobModel = WHOLE_JOBS
    selected_by_hash: bool = False
    """Whether a salt tells who should have been in the shadow."""
    unsampled: int = 0
    """Jobs that the candidate never saw while not all were to be in the shadow."""
    strays: int = 0
    """Jobs that were in the shadow although the hash leaves them out."""
    reweighted: tuple[float, float] | None = None
    """Agreement if the sample had the sizes of all jobs; None where that is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is asked of the ramp."""

    then: tuple[float, ...]
    """Percentages to come."""
    tolerated_per_day: float | None = None
    """Harmed jobs a day that the next stage may cost at worst."""
    alpha: float = 0.05
    sure: float = 0.9
    runs: int = 2000
    seed: int = 0
