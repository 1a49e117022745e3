"""Swapped sides mirror each verdict; innocent variations change none; one fault changes one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compare.comparison import compare
from harness.compare.rules import VALUE_FIELDS
from tests.support.events import at, make_control, make_history, make_job
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.journals import make_journal
from tests.support.reference_runs import RULES, Results, compared, journal_of, results_of
from tests.support.reference_weeks import Week

JOBS = ("job-a", "job-b", "job-c")
HOSTS = ("maple-listings.example", "birch-index.test", "cedar-pages.example")
DEADLINE_S = 600.0
EARLY_S, LATE_S = 100.0, 9000.0
"""Before any deadline; long after every one."""
MIRROR = {"missing_candidate": "missing_control", "missing_control": "missing_candidate"}
SOUND = {
    "name": "Maple Joinery", "email": "desk@maple.example", "phone": "(202) 555-0142",
    "website": "https://www.maple.example/", "city": "Albany", "zip": "12207",
    "state": "NY", "address": "4 Mill Lane", "category": "Joiners", "description": "Doors, stairs.",
}  # fmt: skip
INNOCENT: dict[str, tuple[Callable[[str], str], ...]] = {
    **{f"values.{name}": (lambda text: f"  {text}\t", lambda text: text.replace(" ", " \n "))
       for name in SOUND},
    "values.email": (str.upper, str.title),
    "values.city": (str.upper, str.swapcase),
    "values.phone": (
        lambda _: "+1 202 555 0142", lambda _: "202.555.0142", lambda _: "1-202-555-0142",
        lambda _: "2025550142",
    ),
    "values.website": (
        lambda _: "http://maple.example", lambda _: "maple.example/", lambda _: "MAPLE.Example",
        lambda _: "https://maple.example:443/", lambda _: "www.maple.example",
    ),
}  # fmt: skip
FAULTY = {name: f"another {name}" for name in SOUND} | {
    "email": "shop@maple.example", "phone": "(202) 555-0143", "zip": "12208",
    "website": "https://www.maple.example/shop",
}  # fmt: skip
ERRORS = {
    "timeout": ("Playwright error: page.goto: Timeout 30000ms exceeded.",
                "Step execution failed: Timeout 10000ms exceeded."),
    "captcha": ("Playwright error: reCAPTCHA found", "captcha"),
    "refused": ("AI predicted submission failed.", None),
}  # fmt: skip
SYNONYMS = {
    "submitted": ("submitted", "approved", "success"),
    "failed": ("failed", "rejected", "no_form", "error", "manual_required"),
}
NAMES = ("Maple Joinery", " Maple  Joinery", "Maple Joiners")


def _sent(**changes: str) -> Row:
    return {f"sent_{name}": text for name, text in {**SOUND, **changes}.items()}


@st.composite
def agreeing_weeks(draw: st.DrawFn) -> list[Row]:
    """Nine submissions on which both sides agree, each with a control and a candidate row."""
    rows = []
    for where in _places():
        outcome = draw(st.sampled_from(["submitted", "failed"]))
        error: Row = {}
        if outcome == "failed":
            kind = draw(st.sampled_from(sorted(ERRORS)))
            error = {"error_class": kind, "error_text": ERRORS[kind][0]}
        rows += [side(outcome, **_sent(), **error, **where) for side in (control, candidate)]
    return rows


@st.composite
def symmetric_weeks(draw: st.DrawFn) -> list[Row]:
    """Nine submissions in words that both sides use; a side may be absent, begun or done."""
    rows: list[Row] = []
    for where in _places():
        for side in (control, candidate):
            outcome = draw(st.sampled_from(["absent", "in_flight", "submitted", "failed"]))
            if outcome != "absent":
                kind = draw(st.sampled_from([*ERRORS, "unknown"]))
                name = draw(st.sampled_from(NAMES))
                error = {"error_class": kind, "error_text": f"{kind} {draw(st.booleans())}"}
                failed = error if outcome == "failed" else {}
                rows.append(side(outcome, **failed, **where, **_sent(name=name)))
    return rows


def _places() -> list[Row]:
    return [
        {"job_id": job_id, "directory": host, "unit": f"{job_id}/{host}"}
        for job_id in JOBS
        for host in HOSTS
    ]


def _results(rows: Sequence[Row], *, second: float = LATE_S) -> Results:
    return results_of(
        compare(
            submissions_frame(rows),
            jobs_frame([job(job_id) for job_id in JOBS]),
            RULES,
            as_of=at(second),
            deadline_s=DEADLINE_S,
        )
    )


def _swapped(rows: Sequence[Row]) -> list[Row]:
    other = {"control": "candidate", "candidate": "control"}
    return [row | {"side": other[row["side"]]} for row in rows]


@given(rows=symmetric_weeks(), second=st.sampled_from([EARLY_S, LATE_S]))
@settings(max_examples=60, deadline=None)
def test_swapped_sides_mirror_every_verdict(rows: list[Row], second: float) -> None:
    """Missing on one side becomes missing on the other; everything else, and each field, stays.

    Only what both sides can say is mirrored: a retry ('error'), a latency and several rows of one
    host exist on one side alone.
    """
    there, back = _results(rows, second=second), _results(_swapped(rows), second=second)
    assert there.keys() == back.keys()
    for key, result in there.items():
        mirror = MIRROR.get(result.verdict, result.verdict)
        assert (back[key].verdict, back[key].fields) == (mirror, result.fields), key


def test_a_control_in_its_backlog_has_no_mirror() -> None:
    """Its order of work is its own; a candidate that has not begun is late all the same."""
    (where, *_) = _places()
    rows = [control("in_flight", started_at=None, **where), candidate(**where)]
    ((waiting,), (late,)) = (_results(rows).values(), _results(_swapped(rows)).values())
    assert (waiting.verdict, late.verdict) == ("in_flight", "missing_candidate")


@given(rows=agreeing_weeks(), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_innocent_variations_change_no_verdict(rows: list[Row], seed: int) -> None:
    chance = random.Random(seed)
    varied = [_varied(row, chance) for row in rows]
    assert _results(varied) == _results(rows)
    assert {result.verdict for result in _results(rows).values()} == {"agree"}


def _varied(row: Row, chance: random.Random) -> Row:
    changes: Row = {}
    for field, ways in INNOCENT.items():
        name = f"sent_{field.removeprefix('values.')}"
        changes[name] = chance.choice(ways)(row[name])
    if row["side"] == "control":
        changes["raw_status"] = chance.choice(SYNONYMS[row["outcome"]])
    elif row["outcome"] == "submitted" and chance.random() < 0.5:
        changes |= {"outcome": "skipped", "raw_status": "skipped_duplicate"}
    if row["error_class"]:
        changes["error_text"] = chance.choice(ERRORS[row["error_class"]])
    return row | changes


def _wrong_value(row: Row, chance: random.Random) -> tuple[Row | None, str, set[str]]:
    name = chance.choice(VALUE_FIELDS)
    return row | {f"sent_{name}": FAULTY[name]}, "mismatch", {f"values.{name}"}


def _wrong_outcome(row: Row, _: random.Random) -> tuple[Row | None, str, set[str]]:
    word = "failed" if row["outcome"] == "submitted" else "submitted"
    changes = {"outcome": word, "raw_status": word, "error_class": None, "error_text": None}
    return row | changes, "mismatch", {"outcome"}


def _silence(_: Row, __: random.Random) -> tuple[Row | None, str, set[str]]:
    return None, "missing_candidate", {"outcome"}


def _stuck(row: Row, _: random.Random) -> tuple[Row | None, str, set[str]]:
    changes = {"outcome": "in_flight", "raw_status": "submitting", "finished_at": None}
    return row | changes, "missing_candidate", {"outcome"}


def _another_error(row: Row, chance: random.Random) -> tuple[Row | None, str, set[str]]:
    if row["outcome"] != "failed":
        return _wrong_outcome(row, chance)
    changes = {"error_class": "crash", "error_text": "Target closed"}
    return row | changes, "mismatch", {"error"}


def _slow(row: Row, _: random.Random) -> tuple[Row | None, str, set[str]]:
    return row | {"duration_ms": 240_000.0}, "agree", {"latency_s"}


@pytest.mark.parametrize(
    "fault", [_wrong_value, _wrong_outcome, _silence, _stuck, _another_error, _slow]
)
@given(rows=agreeing_weeks(), seed=st.integers(0, 2**32), vary=st.booleans())
@settings(max_examples=25, deadline=None)
def test_one_fault_changes_exactly_one_pair(
    fault: Callable[[Row, random.Random], tuple[Row | None, str, set[str]]],
    rows: list[Row],
    seed: int,
    vary: bool,
) -> None:
    chance = random.Random(seed)
    before = _results(rows)
    place = chance.choice([n for n, row in enumerate(rows) if row["side"] == "candidate"])
    faulty, verdict, fields = fault(rows[place], chance)
    rows = [_varied(row, chance) if vary and n != place else row for n, row in enumerate(rows)]
    after = _results(rows[:place] + ([faulty] if faulty else []) + rows[place + 1 :])
    changed = {key: result for key, result in after.items() if result != before[key]}
    assert after.keys() == before.keys()
    ((key, result),) = changed.items()
    assert (result.verdict, set(result.fields)) == (verdict, fields), key


ADDRESSES = (
    "https://www.{host}/add-listing/", "http://{host}", "{host}/submit.php",
    "  HTTPS://WWW.{HOST} ",
    "https://{host}:8443/a?b=c#d", "https://user@{host}/x", "//{host}/x", "{host}?to=a@b",
    "\t https://{host}/x\n", "{host}\n",
    "https://{host}/?next=https://cedar-pages.example/",
)  # fmt: skip
KEYS = ("{host}", "{HOST}", "{host}:8443", "www.{host}")


def test_the_form_of_an_address_changes_no_pair(tmp_path: Path) -> None:
    events = []
    for number, (form, name) in enumerate(product(ADDRESSES, KEYS)):
        where: dict[str, Any] = {"job_id": f"job-{number}"}
        events += [
            make_job(**where),
            make_control(url=_filled(form), host=HOSTS[0], **where),
            make_history("submitting", number=1, host=_filled(name), second=5, **where),
            make_history("submitted", number=2, host=_filled(name), second=9, **where),
        ]
    week = Week(batches=(tuple(events),), until=at(LATE_S), scale=1.0)
    empty = make_journal(tmp_path, name="empty.duckdb").path
    results = results_of(compared(week, journal_of(week, empty, tmp_path / "week.duckdb")))
    assert len(results) == len(ADDRESSES) * len(KEYS)
    assert {(key[2], result.verdict) for key, result in results.items()} == {(HOSTS[0], "agree")}


def _filled(form: str) -> str:
    return form.format(host=HOSTS[0], HOST=HOSTS[0].upper())
