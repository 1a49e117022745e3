"""What passes between the collector of a run and the machines that carry it out. Pure.

JSON both ways. What a machine sends is checked value by value: it comes from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.model import Claim
from replay.sandbox.visit import Escape, Observation, Visit
from replay.select import Replayable
from replay.selection import Pair
from replay.submission import Finished
from replay.worker.choose import WorkerSpec
from replay.worker.contract import Timeouts

T = TypeVar("T")


class UnreadableError(ValueError):
    """A message that is none of these; says where, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for every unit of a run."""

    run: str
    worker: WorkerSpec
    timeouts: Timeouts
    concurrency: int | None = None
    """Submissions at once on each machine; None fits it to each."""
    seed: int | None = None
    sites: dict[str, str] = field(default_factory=dict)
    archetypes: str | None = None
    dressing: str = ""
    """Digest of sites and archetypes: their files must be the same everywhere."""
    report_every_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A machine asks for a unit."""

    unit: str
    machine: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Submissions that one machine carries out."""

    unit: str
    terms: Terms
    submissions: tuple[Replayable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one submission ended: `Finished` without what the collector has itself."""

    job_id: str
    directory: str
    claim: Claim
    observation: Observation
    escapes: tuple[Escape, ...] = ()
    crashed: bool = False
    overloaded: bool = False

    @property
    def key(self) -> Pair:
        """Job and directory host."""
        return self.job_id, self.directory

    @classmethod
    def of(cls, done: Finished) -> Result:
        """What to tell of it. Takes the escapes out of its visit."""
        claim = done.claim
        job_id, directory = done.of.key
        return cls(
            job_id=job_id,
            directory=directory,
            claim=replace(
                claim,
                error_text=_sound(claim.error_text),
                error_step=_sound(claim.error_step),
                final_url=_sound(claim.final_url),
            ),
            observation=done.visit.observation,
            escapes=tuple(done.visit.take_escapes()),
            crashed=done.crashed,
            overloaded=done.overloaded,
        )

    def finished(self, of: Replayable) -> Finished:
        """The same as an engine on this machine would have handed it back."""
        visit = Visit(
            job_id=self.job_id,
            directory=self.directory,
            authorities=frozenset(),
            site=None,
            observation=self.observation,
            escapes=list(self.escapes),
        )
        return Finished(
            of=of, visit=visit, claim=self.claim, crashed=self.crashed, overloaded=self.overloaded
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a machine says of its unit every second or so; also its sign of life."""

    unit: str
    facts: dict[str, Any] | None = None
    """Of the place where it carries out, once it is open."""
    results: tuple[Result, ...] = ()
    escapes: tuple[Escape, ...] = ()
    """Of no submission, or of one that has no outcome."""
    in_hand: tuple[Pair, ...] = ()
    """Begun, without an outcome so far."""
    ended: bool = False
    """The machine is through with this unit; what has no result was not begun."""
    refused: str | None = None
    """Why it cannot carry out anything, in one line."""


class Go(StrEnum):
    """What a machine is told in answer to a report."""

    ON = "on"
    END = "end"
    """Begin nothing more, end what is in hand."""
    STOP = "stop"
    """The same, within some seconds."""
    GONE = "gone"
    """The unit is no longer yours."""


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Opening, Unit, Report)
}


def encode(message: Opening | Unit | Report) -> bytes:
    """The message as JSON."""
    told = _ADAPTERS[type(message)].dump_python(message)
    return json.dumps(told, separators=(",", ":")).encode()


def decode(kind: type[T], body: bytes) -> T:
    """Read a message of this kind. Raises UnreadableError."""
    try:
        told: T = _ADAPTERS[kind].validate_json(body)
    except ValidationError as error:
        first: Mapping[str, Any] = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UnreadableError(f"{kind.__name__}: {where}: {first['type']}") from None
    return told


def _sound(text: str | None) -> str | None:
    """Half of a surrogate pair, which a worker may print, is no text that can be sent."""
    return None if text is None else text.encode("utf-8", "replace").decode()
