"""Plants faults in copies of recorded events and asks the findings to name each at its place.

First everything is read that is needed of the journal; then it is left alone, and a journal of the
copies is made in a temporary folder.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from harness.assess.comparing import Compared
from harness.assess.criteria import Criteria
from harness.compare.calibration.causes import BLIND, Cause
from harness.compare.calibration.kinds import Effect
from harness.compare.calibration.plan import Conditions
from harness.compare.calibration.scoring import Mutant
from harness.journal.findings import detect
from harness.journal.planted import (
    Planted,
    count_events,
    event_faults,
    places,
    scratch,
    select_copies,
)
from harness.journal.reader import Reader
from harness.model import LIVE
from harness.resources import sql_queries

FINDING = "finding"
"""The field of a fault that a finding has to name."""
_EVENTS = 100_000
"""About so many events the scratch journal holds at most: some ten seconds."""
_AT_EACH = 40
"""A fault of events is planted at most so often; each costs two copies of a job."""

_Where: TypeAlias = tuple[str | None, str | None]
"""Job and directory; None for the record as a whole, and for a whole job."""
_Found: TypeAlias = dict[str | None, set[tuple[str, str, str | None, str]]]
"""Per job what is said of it: finding or verdict, mode, directory, detail or verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMaterial:
    """What is planted in which events."""

    where: dict[str, list[_Where]]
    """For each fault where it could be planted."""
    planted: tuple[Planted, ...]
    copies: pl.DataFrame
    already: set[tuple[str, str, str | None, str]]
    """What the findings say of the record as a whole."""


def conditions(compared: Compared, criteria: Criteria) -> Conditions:
    """How the real comparison was asked."""
    return Conditions(
        as_of=compared.until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
        blind=compared.blind,
    )


def read_events(
    reader: Reader, criteria: Criteria, compared: Compared, *, seed: int
) -> EventMaterial:
    """Choose where faults of events are planted, and read what is copied for it."""
    already = _found(reader, compared, criteria)
    where = {}
    for fault in event_faults():
        free = places(
            reader,
            fault,
            until=compared.until,
            deadline_s=criteria.deadline_s,
            time_scale=criteria.time_scale,
        )
        where[fault.id] = [place for place in free if not _named(already, fault.finding, place)]
    planted = _chosen(where, count_events(reader), seed=seed)
    return EventMaterial(
        where=where,
        planted=planted,
        copies=select_copies(reader, planted),
        already=already.get(None, set()),
    )


def plant_events(
    material: EventMaterial, criteria: Criteria, compared: Compared
) -> tuple[list[Mutant], dict[str, tuple[int, int]]]:
    """What became of every fault of events, and the places and jobs of each kind."""
    with (
        tempfile.TemporaryDirectory(prefix="shadow-calibrate-") as folder,
        scratch(material.copies, material.planted, Path(folder), until=compared.until) as (
            scratched,
            changed,
        ),
    ):
        found = _found(scratched, compared, criteria)
        # The copied journal brings along what tells of the record as a whole.
        found[None] -= material.already
        verdicts = _verdicts(scratched, compared, criteria)
    return [_mutant(p, found, verdicts) for p in material.planted if p.mutant in changed], {
        f"event.{kind}": (len(free), len({job for job, _ in free} - {None}))
        for kind, free in material.where.items()
    }


def _found(reader: Reader, compared: Compared, criteria: Criteria) -> _Found:
    found: _Found = defaultdict(set)
    for finding in detect(
        reader,
        until=compared.until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
    ):
        for item in finding.evidence:
            found[item.job_id].add((finding.id, finding.mode, item.directory, item.detail))
    return found


def _named(found: _Found, finding: str, place: _Where) -> bool:
    """Whether a finding already names the place; of no job, one more of it can always be told."""
    job, directory = place
    return job is not None and _says(found, finding, job, directory)


def _says(found: _Found, finding: str, job: str | None, directory: str | None) -> bool:
    """Whether a finding names the directory; one of a whole job may show at any of its own."""
    return any(name == finding and directory in (None, at) for name, _, at, _ in found.get(job, ()))


def _chosen(
    where: dict[str, list[_Where]], events: dict[str, int], *, seed: int
) -> tuple[Planted, ...]:
    """A sample of each kind, as far as the scratch journal has room; at least one of each."""
    planted: list[Planted] = []
    room = _EVENTS / (2 * len(where))
    for fault in event_faults():
        chance = random.Random(f"{seed}:{fault.id}")
        free = where[fault.id]
        left = room
        for job, directory in chance.sample(free, min(len(free), _AT_EACH)):
            left -= events.get(job or "", 1)
            if left < 0 and planted and planted[-1].fault is fault:
                break
            planted.append(
                Planted(mutant=len(planted) + 1, fault=fault, job_id=job, directory=directory)
            )
    return tuple(planted)


def _verdicts(reader: Reader, compared: Compared, criteria: Criteria) -> _Found:
    queries = sql_queries("views/select_submissions.sql")
    pairs = (
        conditions(compared, criteria)
        .compared(
            reader.frame(queries["select_submissions"]),
            reader.frame(queries["select_jobs"]),
            criteria.rules,
        )
        .narrow
    )
    found: _Found = defaultdict(set)
    for job, mode, directory, verdict in pairs.select(
        "job_id", "mode", "directory", "verdict"
    ).iter_rows():
        found[job].add(("verdict", mode, directory, verdict))
    return found


def _mutant(planted: Planted, found: _Found, verdicts: _Found) -> Mutant:
    fault = planted.fault
    copy, twin = planted.copy, planted.twin
    if fault.innocent:
        said = [
            _without_details(found.get(job, ())) | set(verdicts.get(job, ()))
            for job in (copy, twin)
        ]
        shown = said[0] != said[1]
    else:
        place = planted.directory if planted.job_id is not None else None
        shown = _says(found, fault.finding, copy, place)
    return Mutant(
        kind=f"event.{fault.id}",
        field=FINDING,
        fault=fault.fault,
        effect=Effect.INNOCENT if fault.innocent else Effect.CHANGES,
        mode=LIVE,
        job_id=planted.job_id or "",
        directory=planted.directory,
        shown=shown,
        cause=None if fault.innocent or shown else Cause((), BLIND),
    )


def _without_details(
    found: Iterable[tuple[str, str, str | None, str]],
) -> set[tuple[str, str, str | None, str]]:
    return {(name, mode, directory, "") for name, mode, directory, _ in found}
