"""What is compared beside the outcome, and that none of it changes a verdict."""

from __future__ import annotations

from typing import Any

import polars as pl

from harness.assessment import Beside
from harness.compare.beside import compare_beside, job_statuses
from harness.compare.comparison import Comparison, compare
from tests.support.events import HOST, at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.journals import criteria

BIRCH, CEDAR = "birch-index.test", "cedar-pages.example"


def compared(*rows: Row, until: float = 100) -> Comparison:
    return compare(
        submissions_frame(rows), jobs_frame([job()]), criteria().rules, as_of=at(until),
        deadline_s=600.0,
    )  # fmt: skip


def beside(*rows: Row, jobs: Row | None = None, until: float = 100) -> dict[str, Beside]:
    found = compare_beside(compared(*rows, until=until).pairs, jobs_frame([jobs or job()]))
    return {one.name: one for one in found}


def both(host: str, old: str = "submitted", new: str = "submitted", **columns: Any) -> list[Row]:
    return [control(old, directory=host, **columns), candidate(new, directory=host, **columns)]


def test_one_rule_gives_both_sides_the_status_of_a_job() -> None:
    def status(*rows: Row, until: float = 100) -> tuple[str, str]:
        (row,) = job_statuses(compared(*rows, until=until).pairs).rows(named=True)
        return row["control_status"], row["candidate_status"]

    assert status(*both(HOST), *both(BIRCH)) == ("all_ok", "all_ok")
    assert status(*both(HOST), *both(BIRCH, "failed", "failed")) == ("partial", "partial")
    assert status(*both(HOST, "failed"), *both(BIRCH, "failed")) == ("none_ok", "all_ok")
    assert status(*both(HOST), *both(BIRCH, new="skipped")) == ("all_ok", "all_ok")
    waiting = control("submitted", directory=BIRCH)
    assert status(*both(HOST), waiting) == ("open", "open")
    assert status(*both(HOST), waiting, until=5000) == ("all_ok", "partial")


def test_the_systems_own_words_for_a_job_are_counted_apart() -> None:
    words = job(control_status="failed", candidate_status="completed")
    found = beside(*both(HOST), jobs=words)["job_status"]
    assert (found.compared, found.same, found.unit) == (1, 1, "jobs")
    assert found.note.endswith("by each system's own word 0 are the same")


def test_a_retry_another_path_and_a_listing_are_told() -> None:
    found = beside(
        control(url=f"https://www.{HOST}/add-listing/"),
        candidate(url=f"https://{HOST}/submit", attempts=3, listing_url=f"https://{HOST}/l/1"),
        control(directory=BIRCH, url=f"http://{BIRCH}/submit/"),
        candidate(directory=BIRCH, url=f"https://{BIRCH}/submit?x=1"),
        control(directory=CEDAR, url=f"https://{CEDAR}"),
        candidate(directory=CEDAR),
    )
    attempts, path, listing = (found[n] for n in ("attempts", "visited_path", "listing_url"))
    assert (attempts.compared, attempts.same) == (3, 2)
    assert attempts.note.startswith("the candidate tried 1 more than once")
    assert (path.compared, path.same, path.unknown) == (2, 1, 1)
    assert (listing.compared, listing.same) == (3, 1)


def test_the_order_is_compared_where_a_job_has_several_directories() -> None:
    first, second = at(50), at(60)
    same = beside(
        *both(HOST, finished_at=first), *both(BIRCH, finished_at=second)
    )["order"]  # fmt: skip
    assert (same.compared, same.same) == (1, 1)
    turned = beside(
        control(finished_at=first), candidate(finished_at=second),
        control(directory=BIRCH, finished_at=second), candidate(directory=BIRCH, finished_at=first),
    )["order"]  # fmt: skip
    assert (turned.compared, turned.same) == (1, 0)
    alone = beside(*both(HOST))["order"]
    assert (alone.compared, alone.unknown) == (0, 1)


def test_nothing_of_it_makes_a_difference() -> None:
    comparison = compared(
        control(url=f"https://{HOST}/a", attempts=1, finished_at=at(50)),
        candidate(url=f"https://{HOST}/b", attempts=4, finished_at=at(60)),
    )
    assert comparison.pairs["verdict"].to_list() == ["agree"]
    assert comparison.cells.filter(pl.col("differs")).is_empty()
