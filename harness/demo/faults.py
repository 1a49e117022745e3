"""The catalogue of faults that a rehearsal can stage, from ``fixtures/faults.toml``, and where.

Each is a fault that the new stack is known to have. Like the planted truth, it is read by the
actors' scripts and the scoring only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.demo.planted import Plant, PlantedEntry
from harness.demo.script import Flow
from harness.resources import resource

ALL = "all"
_FIRST_JOB = 2
_HEALTHY = 3
"""Jobs without a fault around the staged ones, so that there is something to compare with."""


class Fault(BaseModel):
    """One entry of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^B\d\d$")
    title: str
    finding: str | None = None
    """The id of the finding that names it; None for a fault that cannot be staged."""
    found_by: Literal["live", "replay"] = "live"
    whole_week: bool = False
    """Its evidence names no job: the whole set-up is wrong."""
    jobs: int = Field(default=1, ge=1)
    """How many jobs it needs."""
    seen: str
    """What the record shows of it; of one that cannot be staged, why nothing shows."""
    plant: Plant | None = None

    @property
    def staged(self) -> bool:
        """Whether a rehearsal can stage it."""
        return self.plant is not None

    @property
    def spoils(self) -> bool:
        """Whether nothing that comes after it can be recorded any more."""
        return self.plant is not None and self.plant.flow is Flow.UNRECORDABLE

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.plant is None) != (self.finding is None):
            raise ValueError(f"{self.id}: a staged fault has a plant and a finding")
        return self


class _FaultFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fault: tuple[Fault, ...]


def load_faults() -> tuple[Fault, ...]:
    """Return the catalogue in the order of the file."""
    text = resource("fixtures/faults.toml").read_text(encoding="utf-8")
    return _FaultFile.model_validate(tomllib.loads(text)).fault


def choose(wanted: Iterable[str]) -> tuple[Fault, ...]:
    """The faults of these ids, each once, in the catalogue's order; `ALL` for every staged one.

    Raises ValueError for an id that is unknown or cannot be staged.
    """
    catalogue = {fault.id: fault for fault in load_faults()}
    staged = [fault.id for fault in catalogue.values() if fault.staged]
    chosen = set()
    for name in wanted:
        if name.lower() == ALL:
            chosen.update(staged)
            continue
        fault = catalogue.get(name.upper())
        if fault is None:
            raise ValueError(f"{name!r} is no fault; {ALL} or any of {', '.join(staged)}")
        if not fault.staged:
            raise ValueError(f"{fault.id} cannot be staged: {fault.seen}")
        chosen.add(fault.id)
    return tuple(fault for fault in catalogue.values() if fault.id in chosen)


def jobs_needed(faults: Sequence[Fault]) -> int:
    """The shortest week that has room for these faults and some jobs without one."""
    return sum(fault.jobs for fault in faults) + _HEALTHY


def place(faults: Sequence[Fault], *, jobs: int) -> tuple[PlantedEntry, ...]:
    """Give each fault jobs of its own in a week of `jobs`: from the second on.

    What spoils everything that comes after it gets the last ones.
    """
    spoiling = [fault for fault in faults if fault.spoils]
    ordinals = count(_FIRST_JOB)
    last = count(jobs + 1 - sum(fault.jobs for fault in spoiling))
    return tuple(
        _entry(fault, number, next(last if fault.spoils else ordinals))
        for fault in faults
        for number in range(1, fault.jobs + 1)
    )


def _entry(fault: Fault, number: int, job: int) -> PlantedEntry:
    if fault.plant is None or fault.finding is None:
        raise ValueError(f"{fault.id} cannot be staged")
    return PlantedEntry(
        **fault.plant.model_dump(),
        id=fault.id if fault.jobs == 1 else f"{fault.id}-{number}",
        kind=fault.finding,
        job=job,
        whole_week=fault.whole_week,
        found_by=fault.found_by,
        note=f"{fault.title}. {fault.seen}",
    )
