"""Weeks of rows: drawn at random, or with planted causes of differences."""

from __future__ import annotations

import random

import polars as pl
from hypothesis import strategies as st

from harness.compare.comparison import Comparison, compare
from harness.compare.rules import RuleSet, parse_rules
from harness.resources import package_text
from tests.support.events import HOST, at
from tests.support.frames import (
    Row,
    candidate,
    control,
    job,
    jobs_frame,
    observed,
    submissions_frame,
)

JOB_IDS = ("job-a", "job-b", "job-c")
HOSTS = (HOST, "birch-index.test", "cedar-pages.example")
PHONES = ("202-555-0142", "(202) 555-0142", "202-555-0199", None)


@st.composite
def weeks(draw: st.DrawFn) -> list[Row]:
    """Rows of up to nine submissions: any outcome on either side, live and in a replay."""
    rows: list[Row] = []
    for number, (job_id, host) in enumerate((j, h) for j in JOB_IDS for h in HOSTS):
        where = {"job_id": job_id, "directory": host, "from_seq": number + 1}
        old = draw(st.sampled_from(["none", None, "in_flight", "submitted", "failed", "unknown"]))
        if old != "none":
            phone = draw(st.sampled_from(PHONES))
            rows.append(control(old, sent_phone=phone, **where))
            if draw(st.booleans()):
                rows.append(control(old, unit=f"again-{number}", **where))
        for mode in ("live", "demo"):
            new = draw(st.sampled_from(["none", "in_flight", "submitted", "failed", "skipped"]))
            if new != "none":
                raw = "error" if new == "failed" and draw(st.booleans()) else new
                columns = {
                    "raw_status": raw,
                    "error_class": draw(st.sampled_from(["timeout", "refused"])),
                    "sent_phone": draw(st.sampled_from(PHONES)),
                }
                rows.append(candidate(new, mode=mode, **columns, **where))
                if mode == "demo":
                    rows.append(observed(draw(st.sampled_from(["submitted", "failed"])), **where))
    return rows


BROKEN = "birch-index.test"
"""Its form has no field for the phone any more, for the candidate."""
GUARDED = 300
"""Jobs of this package meet a captcha."""
LOST = 17
"""This job and its next are never claimed."""
_DIRECTORIES = tuple(f"{tree}-pages.example" for tree in (
    "alder", "beech", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine",
))  # fmt: skip


def shipped_rules() -> RuleSet:
    """The rules that are shipped."""
    return parse_rules(package_text("compare/default-rules.toml"), origin="shipped")


def planted_week(jobs: int = 120, *, seed: int = 7) -> Comparison:
    """A compared week of `jobs` jobs of seven directories with three planted causes and noise.

    At BROKEN the candidate fails from the twentieth job on, nine times of ten. In two of three jobs
    with package GUARDED every directory meets a captcha. Jobs LOST and LOST + 1 get no message. One
    pair of a hundred times out for no reason.
    """
    rng = random.Random(seed)
    rows: list[Row] = []
    orders: list[Row] = []
    for number in range(jobs):
        name = f"job-{number:04}"
        package = rng.choices((50, 100, GUARDED), (5, 4, 1))[0]
        guarded = package == GUARDED and rng.random() < 0.67
        lost = number in (LOST, LOST + 1)
        signs = dict.fromkeys(("claimed_at", "triggered_at", "flow_started_at")) if lost else {}
        created = at(600 * number)
        orders.append(job(name, created_at=created, package_size=package, **signs))
        for host in (BROKEN, *rng.sample(_DIRECTORIES, 6)):
            where = {"job_id": name, "directory": host, "finished_at": at(600 * number + 60)}
            rows.append(control(**where))
            if lost:
                continue
            error, text = None, None
            if host == BROKEN and number >= 20 and rng.random() < 0.9:
                error, text = "selector_missing", "Page.fill: no element input[name='phone']"
            elif guarded:
                error, text = "captcha", "Page.click: reCAPTCHA intercepts pointer events"
            elif rng.random() < 0.01:
                error, text = "timeout", "Page.goto: Timeout 30000ms exceeded."
            outcome = "failed" if error else "submitted"
            rows.append(candidate(outcome, error_class=error, error_text=text, **where))
    return compare(
        submissions_frame(rows), jobs_frame(orders), shipped_rules(),
        as_of=at(600 * jobs + 5000), deadline_s=600.0,
    )  # fmt: skip


def first_jobs(comparison: Comparison, count: int) -> Comparison:
    """The same comparison when only the first `count` jobs had been created."""
    names = comparison.pairs.sort("created_at")["job_id"].unique(maintain_order=True)[:count]
    here = pl.col("job_id").is_in(names.to_list())
    return Comparison(pairs=comparison.pairs.filter(here), rules=comparison.rules)
