"""Makes a week's scripts from a seed: jobs, what both sides do with them, and what is planted.

Pure: the same arguments give the same week. Around the planted faults stand innocent variations
(writings of an address, a phone number, a status word, an error) that a comparison must absorb.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from random import Random
from typing import Any
from urllib.parse import urlparse

from harness.demo.business import invent_business, vary
from harness.demo.catalogue import Archetype, Directory
from harness.demo.planted import PlantedEntry
from harness.demo.script import (
    MAX_ATTEMPTS,
    Attempt,
    Business,
    ControlScript,
    Customer,
    Flow,
    JobScript,
    Planted,
    Result,
    Results,
    SubmissionScript,
    Week,
)

JOBS = 60
SEED = 2025
_JOB_SPACING_S = 150.0
_DIRECTORIES = (2, 12)
_BOTH_FAIL = 0.25
"""Share of jobs with one directory at which both sides fail."""
_NAMESPACE = uuid.UUID("6f1d2c1e-58c1-4a51-9d53-3a8b6a0c7e11")
_PACKAGES = (
    ("starter", 50, 4), ("growth", 100, 3), ("professional", 300, 2), ("enterprise", 500, 1),
)  # fmt: skip
_PRIORITY_WORDS = {1: "enterprise", 2: "pro", 3: "starter", 4: "starter"}
"""The words that a flow knows, for the numbers that the queue carries."""

_CAPTCHA_ERRORS = (
    'Step execution failed: Page.click: <iframe title="reCAPTCHA"> intercepts pointer events',
    "Step execution failed: Page.fill: element is covered by a captcha challenge",
)
_TIMEOUT_ERRORS = (
    "Step execution failed: Page.fill: Timeout 10000ms exceeded.",
    "Step execution failed: Page.goto: Timeout 30000ms exceeded.",
)
_CONTROL_TIMEOUT = "Playwright error: page.goto: Timeout 30000ms exceeded.\n  navigating to {url}"
_CONTROL_CAPTCHA = "Playwright error: reCAPTCHA found and no captcha solver is configured"
_CONTROL_REFUSED = "AI predicted submission failed."


def make_week(
    *,
    directories: Sequence[Directory],
    planted: Sequence[PlantedEntry] = (),
    seed: int = SEED,
    jobs: int = JOBS,
    faithful: bool = False,
) -> Week:
    """Return the scripts of a week of `jobs` jobs.

    planted: entries of later jobs than `jobs` are left out. faithful: nothing is planted.
    Raises ValueError if an entry names an unknown directory, or plants on top of another.
    """
    entries = () if faithful else tuple(entry for entry in planted if entry.job <= jobs)
    _check(entries, {directory.host for directory in directories})
    scripts: list[JobScript] = []
    for ordinal in range(1, jobs + 1):
        here = [entry for entry in entries if entry.job == ordinal]
        scripts.append(_make_job(seed, ordinal, directories, here))
    placed = tuple(
        Planted(
            id=entry.id,
            kind=entry.kind,
            job=entry.job,
            job_id=None if entry.whole_week else job_id(seed, entry.job),
            directory=entry.directory,
            found_by=entry.found_by,
            note=entry.note,
        )
        for entry in entries
    )
    return Week(seed=seed, jobs=tuple(scripts), planted=placed)


def job_id(seed: int, ordinal: int) -> str:
    """The uuid of a job, the same on every machine."""
    return str(uuid.uuid5(_NAMESPACE, f"{seed}:job:{ordinal}"))


def make_plan(directory_name: str, business: Business) -> tuple[Mapping[str, Any], ...]:
    """The brain's eight steps: its address is guessed from the host, its five fields are fixed."""
    values = {name: getattr(business, name) for name in ("name", "email", "phone", "website")}
    fills = [
        {"action": "fill", "selector": f"input[name='{name}']", "value": value}
        for name, value in values.items()
    ]
    return (
        {"action": "goto", "url": f"https://{directory_name}/submit"},
        *fills,
        {
            "action": "fill",
            "selector": "textarea[name='description']",
            "value": business.description,
        },
        {"action": "click", "selector": "button[type='submit']"},
        {"action": "wait", "until": "networkidle"},
    )


def _check(entries: Sequence[PlantedEntry], hosts: set[str]) -> None:
    for entry in entries:
        if entry.directory is not None and entry.directory not in hosts:
            raise ValueError(f"planted {entry.id}: directory {entry.directory} is not catalogued")
        others = [other for other in entries if other.job == entry.job and other is not entry]
        if any(
            entry.directory is None or other.directory in (None, entry.directory)
            for other in others
        ):
            raise ValueError(f"planted {entry.id}: another entry is planted at the same place")


def _make_job(
    seed: int,
    ordinal: int,
    directories: Sequence[Directory],
    planted: Sequence[PlantedEntry],
) -> JobScript:
    # Chance is drawn per job, so the first jobs of a short week are those of a long one, and a
    # faithful week differs from a planted one in nothing but what is planted.
    rng = Random(f"{seed}:{ordinal}")
    identity = job_id(seed, ordinal)
    business = invent_business(rng, ordinal)
    package = rng.choices(_PACKAGES, weights=(50, 25, 15, 10))[0]
    chosen, unlucky = _choose(rng, directories, planted)
    whole = next((entry for entry in planted if entry.directory is None), None)
    if whole is not None and whole.package is not None:
        package = next(p for p in _PACKAGES if p[0] == whole.package)
    package_type, package_size, priority = package
    flow = (whole.flow if whole else None) or Flow.COMPLETE
    offset_s = (ordinal - 1) * _JOB_SPACING_S + (rng.uniform(0, 60) if ordinal > 1 else 0.0)
    offset_s += whole.after_s if whole else 0.0
    listed = vary(business, rng)
    rows: list[SubmissionScript] = []
    for directory in chosen:
        row_rng = Random(f"{seed}:{ordinal}:{directory.host}")
        entry = next((e for e in planted if e.directory == directory.host), whole)
        row = _make_row(row_rng, identity, directory, business, listed, entry, unlucky is directory)
        if not flow.tries_directories:
            row = replace(row, candidate=())
        rows.append(row)
        if entry is not None and entry.paths:
            rows[-1] = _at_path(row, entry.paths[0], identity)
            # The candidate has one key for the host: the other rows do not exist for it.
            rows.extend(
                replace(_at_path(row, path, identity), candidate=()) for path in entry.paths[1:]
            )
    return JobScript(
        ordinal=ordinal,
        job_id=identity,
        created_offset_s=offset_s,
        customer=Customer(
            id=str(uuid.uuid5(_NAMESPACE, f"{seed}:customer:{ordinal}")),
            customer_id=_customer_id(seed, ordinal),
            business=business,
        ),
        business_data=_as_listing(listed, rng),
        package_type=package_type,
        package_size=package_size,
        priority=priority,
        priority_word=(whole.priority_word if whole else None) or _PRIORITY_WORDS[priority],
        submissions=tuple(rows),
        flow=flow,
    )


def _choose(
    rng: Random,
    directories: Sequence[Directory],
    planted: Sequence[PlantedEntry],
) -> tuple[list[Directory], Directory | None]:
    """The directories of a job, and the one at which both sides fail, if any."""
    ordinary = [d for d in directories if not d.archetype.troubled]
    troubled = [d for d in directories if d.archetype.troubled]
    drawn = rng.randint(*_DIRECTORIES)
    wanted = next((entry.directories for entry in planted if entry.directories), drawn)
    size = min(wanted, len(ordinary))
    chosen = rng.sample(ordinary, size)
    wants_failure, trouble = rng.random() < _BOTH_FAIL, rng.choice(troubled) if troubled else None
    named = [d for d in directories if any(entry.directory == d.host for entry in planted)]
    unlucky = trouble if wants_failure and not planted else None
    forced = [*named, *([unlucky] if unlucky else [])]
    kept = [d for d in chosen if d not in forced][: max(size - len(forced), 1)]
    order = [*kept, *forced]
    rng.shuffle(order)
    return order, unlucky


def _make_row(
    rng: Random,
    identity: str,
    directory: Directory,
    business: Business,
    listed: Business,
    entry: PlantedEntry | None,
    both_fail: bool,
) -> SubmissionScript:
    url = _write_url(directory.url, rng)
    name = urlparse(url).netloc.replace("www.", "")
    seconds = round(directory.control_s * rng.uniform(0.85, 1.15), 1)
    if both_fail:
        control, candidate = _both_fail(directory.archetype, rng, url)
    else:
        control, candidate = _control_word(rng), _attempts(rng)
    listing = _as_listing(listed, rng)
    sent = business
    if entry is not None:
        # What is planted stands alone: around it nothing but the plain case.
        control = entry.control or ControlScript()
        plain = (Attempt(result=Result.SUBMITTED, duration_ms=rng.randint(6500, 14000)),)
        candidate = entry.attempts if entry.attempts is not None else plain
        sent = replace(business, **_checked_values(entry, business))
    return SubmissionScript(
        submission_id=_row_id(identity, directory.host, url),
        directory_url=url,
        host=directory.host,
        directory_name=name,
        category=directory.category,
        listing=listing,
        control=control,
        control_s=control.seconds if control.seconds is not None else seconds,
        candidate=candidate,
        plan=make_plan(name, sent),
        results=(entry.results if entry else None) or Results.ENDED,
    )


def _checked_values(entry: PlantedEntry, business: Business) -> dict[str, str]:
    """The values that are wrong on purpose; ValueError if one is right after all."""
    values: dict[str, str] = {str(name): value for name, value in (entry.send or {}).items()}
    for name, value in values.items():
        right = getattr(business, name)
        same_number = name == "phone" and _digits(value) == _digits(right)
        if same_number or value.strip().casefold() == right.strip().casefold():
            raise ValueError(f"planted {entry.id}: {name} = {value!r} is what the business has")
    return values


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)[-10:]


def _at_path(row: SubmissionScript, path: str, identity: str) -> SubmissionScript:
    url = f"https://{row.host}{path}"
    return replace(
        row,
        directory_url=url,
        directory_name=row.host,
        submission_id=_row_id(identity, row.host, url),
        plan=({**row.plan[0], "url": f"https://{row.host}/submit"}, *row.plan[1:]),
    )


def _row_id(identity: str, host: str, url: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{identity}:{host}:{urlparse(url).path}"))


def _control_word(rng: Random) -> ControlScript:
    """Mostly the poller's own word; some rows carry those of other old writers."""
    return ControlScript(status=rng.choices(("submitted", "approved", "success"), (90, 5, 5))[0])


def _attempts(rng: Random) -> tuple[Attempt, ...]:
    """Mostly one attempt; some succeed at the second, some were done in an earlier run."""
    duration_ms = rng.randint(6500, 19000)
    submitted = Attempt(result=Result.SUBMITTED, duration_ms=duration_ms)
    draw = rng.random()
    if draw < 0.03:
        error = rng.choice(_TIMEOUT_ERRORS)
        return (Attempt(result=Result.ERROR, duration_ms=13200, error=error), submitted)
    if draw < 0.05:
        return (Attempt(result=Result.SKIPPED_DUPLICATE, duration_ms=0),)
    return (submitted,)


def _both_fail(
    archetype: Archetype, rng: Random, url: str
) -> tuple[ControlScript, tuple[Attempt, ...]]:
    """The same class of failure on both sides, in each side's own words."""
    if archetype is Archetype.CAPTCHA:
        error, message = rng.choice(_CAPTCHA_ERRORS), _CONTROL_CAPTCHA
    elif archetype is Archetype.SLOW:
        error, message = rng.choice(_TIMEOUT_ERRORS), _CONTROL_TIMEOUT.format(url=url)
    else:
        status = rng.choice(("failed", "failed", "rejected"))
        refused = Attempt(result=Result.FAILED, duration_ms=rng.randint(7000, 14000))
        return ControlScript(status=status, message=_CONTROL_REFUSED), (refused,)
    attempts = tuple(
        Attempt(result=Result.ERROR, duration_ms=rng.randint(10200, 13800), error=error)
        for _ in range(MAX_ATTEMPTS)
    )
    return ControlScript(status="failed", message=message), attempts


def _write_url(url: str, rng: Random) -> str:
    """The same address as another editor of the catalogue would have written it."""
    parts = urlparse(url)
    bare = parts.netloc.removeprefix("www.")
    hosts = (parts.netloc, parts.netloc, bare, f"www.{bare}", bare.capitalize(), bare.upper())
    host = rng.choice(hosts)
    path = parts.path if rng.random() < 0.7 else (parts.path.rstrip("/") or "") + "/"
    return f"{parts.scheme}://{host}{path}"


def _as_listing(business: Business, rng: Random) -> dict[str, str]:
    """A business as the rows carry it, its keys in no particular order."""
    data = asdict(business)
    data["business_name"] = data.pop("name")
    keys = list(data)
    rng.shuffle(keys)
    return {key: data[key] for key in keys}


def _customer_id(seed: int, ordinal: int) -> str:
    digest = hashlib.sha256(f"{seed}:{ordinal}".encode()).hexdigest()[:6].upper()
    return f"DIR-20251103-{digest}"
