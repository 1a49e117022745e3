"""Reads what is planted, from ``fixtures/planted.toml``.

Only the actors' scripts (`harness.demo.week`) and the scoring may use this: a comparison that
reads it would be marking its own paper.
"""

from __future__ import annotations

import tomllib
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.demo.script import MAX_ATTEMPTS, Attempt, ControlScript, Flow, Result, Results
from harness.resources import resource

Package = Literal["starter", "growth", "professional", "enterprise"]


class Plant(BaseModel):
    """What the actors do at one place, a directory of a job or the whole job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: str | None = None
    control: ControlScript | None = None
    candidate: tuple[Attempt, ...] | None = Field(default=None, max_length=MAX_ATTEMPTS)
    every_attempt: Attempt | None = None
    """The same in each of `MAX_ATTEMPTS`, instead of `candidate`."""
    send: dict[Literal["name", "email", "phone", "website", "description"], str] | None = None
    paths: tuple[str, ...] | None = Field(default=None, min_length=2)
    flow: Flow | None = None
    results: Results | None = None
    package: Package | None = None
    priority_word: Literal["starter", "pro", "enterprise"] | None = None
    directories: int | None = Field(default=None, ge=1)
    """How many the job has; None leaves it to chance."""
    after_s: float = Field(default=0.0, ge=0)
    """Scaled seconds by which the job is created later than in turn."""

    @property
    def attempts(self) -> tuple[Attempt, ...] | None:
        """What the candidate does; None for the plain case."""
        if self.every_attempt is not None:
            return (self.every_attempt,) * MAX_ATTEMPTS
        return self.candidate

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        planted = self.model_fields_set & set(Plant.model_fields) - {"directory"}
        if not any(getattr(self, name) for name in planted):
            raise ValueError("nothing is planted")
        whole = (
            self.flow,
            self.package,
            self.priority_word,
            self.directories,
            self.after_s or None,
        )
        if self.directory is not None and any(value is not None for value in whole):
            raise ValueError(
                "flow, package, priority_word, directories and after_s are of the whole job"
            )
        if self.directory is None and (self.send is not None or self.paths is not None):
            raise ValueError("send and paths need a directory")
        if self.candidate is not None and self.every_attempt is not None:
            raise ValueError("give candidate or every_attempt")
        if any((a.result is Result.ERROR) != (a.error is not None) for a in self.attempts or ()):
            raise ValueError("an attempt has an error text if its result is error")
        return self


class PlantedEntry(Plant):
    """One planted fault: where, what the actors do, and who can see it."""

    id: str
    kind: str
    """A difference of this kind, or the finding of this id, must name the planted fault."""
    job: int = Field(ge=1)
    whole_week: bool = False
    """No one job but the whole set-up is wrong: its evidence names no job."""
    found_by: Literal["live", "replay"]
    note: str


class _PlantedFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    planted: tuple[PlantedEntry, ...]


def load_planted() -> tuple[PlantedEntry, ...]:
    """Return the shipped planted faults, in the order of the file."""
    text = resource("fixtures/planted.toml").read_text(encoding="utf-8")
    return _PlantedFile.model_validate(tomllib.loads(text)).planted
