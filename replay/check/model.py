"""The words of the conformance kit: what a case is, what was seen of it, what that is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model import Claim, Order
from replay.sandbox.exchange import Site


class Group(StrEnum):
    """What is asked of a worker."""

    WAITS = "waits"
    """It waits for what comes late, and not for what never comes."""
    RETRIES = "retries"
    """It tries again where that is safe."""
    FALSE_SUCCESS = "false success"
    """It never says "submitted" of what no site has stored."""
    FALSE_FAILURE = "false failure"
    """It never says "failed" of what a site has stored."""
    DOUBLE_SUBMIT = "double submit"
    """It never makes a site store a listing twice."""
    CAPTCHA = "captcha honesty"
    """It stops at a captcha and says so."""
    VALUES = "values"
    """What it was given arrives as it was given."""
    CLEANLINESS = "cleanliness"
    """It leaves no process and no file, and does not leave the sandbox."""
    SPEED = "speed"
    """It takes little longer than the site."""


class Mark(StrEnum):
    """What one observation is worth."""

    GOOD = "good"
    BAD = "bad"
    NOTE = "note"
    """Neither: what a reader should know, such as an ability that the worker does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small site, the order that a worker is given for it, and what is expected."""

    name: str
    title: str
    """What the site does, a sentence without its full stop."""
    teaches: str
    """Why it matters in production."""
    group: Group
    order: Order
    make: Callable[[], Site]
    """A fresh site for one visit."""
    reachable: bool = True
    """A worker that knows how gets the listing stored."""
    required: bool = True
    """Where it is reachable: not to get there is bad, and not only worth a note."""
    knowable: bool = True
    """The page tells whether the listing was stored."""
    says: str | None = None
    """Pattern of the words with which an honest failure names its reason."""
    site_s: float = 0.0
    """Seconds that the site itself needs."""
    exact: Mapping[str, str] = field(default_factory=dict)
    """Values that must arrive as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that reached the site."""

    at_s: float
    """Since the worker was given the order."""
    method: str
    address: str
    """Path and query."""
    status: int | None
    """None where no answer came."""
    accepts: bool
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one case."""

    claim: Claim
    wall_s: float
    cpu_s: float
    """Of the worker, its browser and the sandbox together."""
    requests: tuple[Request, ...]
    crashed: bool = False
    stuck: bool = False
    """It had to be ended."""
    escapes: tuple[str, ...] = ()
    """Addresses outside the sandbox that were asked for."""

    @property
    def posts(self) -> tuple[Request, ...]:
        """The requests that send something."""
        return tuple(one for one in self.requests if one.method == "POST")

    @property
    def stored(self) -> tuple[Request, ...]:
        """Those that the site stored a listing of."""
        return tuple(one for one in self.requests if one.accepts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What was still there when worker and browser were closed."""

    processes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a worker does well or badly."""

    group: Group
    mark: Mark
    case: str | None
    """None for what was seen of the whole run."""
    sentence: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case with what was seen and what that is worth."""

    case: Case
    seen: Seen
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    worker: str
    results: tuple[Result, ...]
    overall: tuple[Finding, ...]
    elapsed_s: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Browser, and layers of the seal where the worker is a program."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, case by case, then of the whole run."""
        return (*(one for result in self.results for one in result.findings), *self.overall)

    def count(self, mark: Mark) -> int:
        """How many findings have this mark."""
        return sum(finding.mark is mark for finding in self.findings)

    @property
    def escapes(self) -> int:
        """Attempts to leave the sandbox."""
        return sum(len(result.seen.escapes) for result in self.results)
