"""Reads what is planted, from ``fixtures/planted.toml``.

Only the actors' scripts (`harness.demo.week`) and the scoring may use this: a comparison that
reads it would be marking its own paper.
"""

from __future__ import annotations

import tomllib
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.demo.script import MAX_ATTEMPTS, Attempt, ControlScript, Flow, Result
from harness.resources import resource

Kind = Literal[
    "candidate_failed",
    "control_failed",
    "captcha",
    "timeout",
    "wrong_value",
    "slow",
    "never_enqueued",
    "lost_after_trigger",
    "orphan_submitting",
    "duplicate_submission",
    "directories_collapsed",
    "false_success",
]
"""A difference of this kind, or the finding of this id, must name the planted fault."""


class PlantedEntry(BaseModel):
    """One planted fault: where, what the actors do, and who can see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: Kind
    job: int = Field(ge=1)
    directory: str | None = None
    found_by: Literal["live", "replay"]
    note: str
    control: ControlScript | None = None
    candidate: tuple[Attempt, ...] | None = Field(default=None, max_length=MAX_ATTEMPTS)
    send: dict[Literal["name", "email", "phone", "website", "description"], str] | None = None
    paths: tuple[str, ...] | None = Field(default=None, min_length=2)
    flow: Literal[Flow.NOT_ENQUEUED, Flow.STOPS_AFTER_TRIGGER] | None = None

    @model_validator(mode="after")
    def _names_its_place(self) -> Self:
        if (self.directory is None) != (self.flow is not None):
            raise ValueError(f"{self.id}: give a directory, or a flow for the whole job")
        if self.candidate and any(
            (a.result is Result.ERROR) != (a.error is not None) for a in self.candidate
        ):
            raise ValueError(f"{self.id}: an attempt has an error text if its result is error")
        return self


class _PlantedFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    planted: tuple[PlantedEntry, ...]


def load_planted() -> tuple[PlantedEntry, ...]:
    """Return the shipped planted faults, in the order of the file."""
    text = resource("fixtures/planted.toml").read_text(encoding="utf-8")
    return _PlantedFile.model_validate(tomllib.loads(text)).planted
