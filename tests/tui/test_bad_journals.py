"""The whole dashboard on files that are no journal: words on the screen, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from textual.pilot import Pilot

from harness.assess.criteria import load_criteria
from harness.journal.store import Journal
from harness.model import Batch
from harness.settings import Settings
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
from tests.support.events import make_control, make_job
from tests.tui.support import NEVER_S, drive, look_again, press, text_of


def make_missing(path: Path) -> None:
    """No file at all."""


def make_empty(path: Path) -> None:
    """A journal without an event."""
    Journal.create(path)


def make_foreign(path: Path) -> None:
    """A DuckDB file of somebody else."""
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE events (id INTEGER)")


def make_garbage(path: Path) -> None:
    """A file that is no database."""
    path.write_bytes(b"\x00\x1b[31mnot a database" * 500)


def make_newer(path: Path) -> None:
    """A journal that a later version has written."""
    Journal.create(path).append(Batch(events=(make_job(), make_control())))
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE meta SET schema_version = 999")


def make_truncated(path: Path) -> None:
    """A journal of which only the first part was copied."""
    Journal.create(path).append(Batch(events=(make_job(), make_control())))
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_missing, "there is no journal yet"),
        (make_empty, "the journal is empty"),
        (make_foreign, "not a journal"),
        (make_garbage, "not a readable journal"),
        (make_truncated, "not a readable journal"),
        (make_newer, "Use a newer shadow-harness"),
    ],
)
def test_a_bad_journal_is_words_and_a_good_one_is_shown_once_it_is_there(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / "w.duckdb"
    make(path)

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        assert words in " ".join(text_of(app).split())
        await press(pilot, "2", "enter", "3", "4", "[", "1")
        assert app.faults == {}
        path.unlink(missing_ok=True)
        Journal.create(path).append(Batch(events=(make_job(), make_control())))
        await look_again(pilot)
        assert "~ UNDECIDED" in text_of(app)
        assert words not in " ".join(text_of(app).split())

    data = DashboardData(path, load_criteria(Settings()), busy_timeout_s=0.2)
    drive(ShadowApp(data, refresh_s=NEVER_S), scenario, size=(120, 40))


def test_a_journal_that_is_replaced_by_another_is_read_anew_at_every_moment(tmp_path: Path) -> None:
    path, other = tmp_path / "w.duckdb", tmp_path / "other.duckdb"
    for place, jobs in ((path, 2), (other, 3)):
        journal = Journal.create(place)
        for number in range(jobs):
            events = (make_job(job_id=f"job-{number}"), make_control(job_id=f"job-{number}"))
            journal.append(Batch(events=events))
    seen: list[str] = []

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        for _ in range(2):
            assert app.view.assessment is not None
            seen.append(app.view.assessment.provenance.journal_id)
            if other.exists():
                other.replace(path)
            await look_again(pilot)
        assert app.view.as_of == 2
        assert app.view.span is not None
        assert app.view.span.last_seq == 6
        assert app.faults == {}

    data = DashboardData(path, load_criteria(Settings()), busy_timeout_s=0.2)
    drive(ShadowApp(data, refresh_s=NEVER_S, as_of=2), scenario, size=(120, 40))
    assert len(set(seen)) == 2


@pytest.mark.parametrize("size", [(80, 24), (250, 70)], ids=["80x24", "250x70"])
def test_the_least_and_the_largest_terminal_show_every_screen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "w.duckdb"
    Journal.create(path).append(Batch(events=(make_job(), make_control())))

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        for key in ("1", "2", "3", "4", "[", "question_mark"):
            await press(pilot, key)
            assert all(len(line) <= size[0] for line in text_of(app).splitlines())
        assert app.faults == {}

    data = DashboardData(path, load_criteria(Settings()), busy_timeout_s=0.2)
    drive(ShadowApp(data, refresh_s=NEVER_S), scenario, size=size)
