"""What the last run saw: shown at once, as the past, and only where it is of this very journal."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot

from harness.assess.criteria import Criteria, load_criteria
from harness.journal.store import Journal
from harness.model import Batch, Watermark
from harness.settings import Settings
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
from harness.tui.last_look import LastLook, Seen
from harness.tui.looked import Moment, Snapshot, Span
from tests.support.assessments import AS_OF, MONDAY, make_assessment
from tests.support.events import at, make_control, make_history, make_job
from tests.tui.support import NEVER_S, FakeData, Scenario, text_of, until

SPAN = Span(first_at=MONDAY, last_at=AS_OF, last_seq=4236)


@pytest.fixture(scope="module")
def criteria() -> Criteria:
    return load_criteria(Settings())


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return recorded(tmp_path / "week.duckdb")


def recorded(path: Path) -> Journal:
    journal = Journal.create(path, clock=lambda: at(100))
    mark = Watermark(source="production", position={}, complete_until=at(60))
    events = (make_job(), make_control("submitted"), make_history("failed", number=1, second=3))
    journal.append(Batch(events=events, watermarks=(mark,)))
    return journal


def look_at(journal: Journal, criteria: Criteria, home: Path) -> LastLook:
    """Open, look once and leave; what the next run will find."""
    last = last_look(journal, criteria, home)
    data = DashboardData(journal.path, criteria, clock=lambda: at(500), last_look=last)
    assert data.load(None).assessment is not None
    return last_look(journal, criteria, home)


def last_look(journal: Journal, criteria: Criteria, home: Path) -> LastLook:
    return LastLook(journal.path, {"XDG_STATE_HOME": str(home)}, criteria)


def test_the_next_run_finds_the_very_assessment(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    assert last_look(journal, criteria, tmp_path).read() is None
    kept = look_at(journal, criteria, tmp_path)
    found = kept.read()
    assert found is not None
    now = DashboardData(journal.path, criteria, clock=lambda: at(500)).load(None)
    assert found == Seen(assessment=now.assessment, span=now.span)  # type: ignore[arg-type]
    assert kept.path.stat().st_mode & 0o777 == 0o600


def test_a_look_at_the_past_leaves_nothing(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    last = last_look(journal, criteria, tmp_path)
    data = DashboardData(journal.path, criteria, clock=lambda: at(500), last_look=last)
    assert data.load(2).assessment is not None
    assert last.read() is None


def test_another_journal_in_its_place_is_not_taken_for_it(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    journal.path.unlink()
    assert kept.read() is None
    recorded(journal.path)
    assert kept.read() is None


def test_what_was_judged_otherwise_is_not_shown(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    look_at(journal, criteria, tmp_path)
    changes = {"deadline_s": 1.0, "time_scale": 7.0, "since": at(1), "phase": "cut-over"}
    for name, value in changes.items():
        other = replace(criteria, **{name: value})
        assert last_look(journal, other, tmp_path).read() is None, name
    rules = criteria.rules.model_copy(update={"rule": criteria.rules.rule[:1]})
    assert last_look(journal, replace(criteria, rules=rules), tmp_path).read() is None


def test_values_of_another_layout_are_not_unpacked(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    assert kept.read() is not None
    monkeypatch.setattr("harness.tui.last_look._layout", lambda: "a field more")
    assert kept.read() is None


def test_a_file_that_others_can_read_or_that_is_damaged_is_as_none(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    whole = kept.path.read_bytes()
    kept.path.chmod(0o644)
    assert kept.read() is None
    kept.path.chmod(0o600)
    assert kept.read() is not None
    for damaged in (b"", b"\n", whole[: len(whole) // 2], whole.replace(b"\n", b" ", 1)):
        kept.path.write_bytes(damaged)
        assert kept.read() is None


class _Deed:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(Path(os.environ["DEED"])),)


def test_unpacking_carries_nothing_out(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    head = kept.path.read_bytes().split(b"\n", 1)[0]
    deed = tmp_path / "deed"
    monkeypatch.setenv("DEED", str(deed))
    # The second goes through a module of ours to one that it imports.
    words = [b"\x8c" + bytes([len(word)]) + word for word in map(str.encode, (
        "harness.tui.last_look", "os.mkdir", str(deed)
    ))]  # fmt: skip
    roundabout = b"\x80\x04" + words[0] + words[1] + b"\x93" + words[2] + b"\x85R."
    for body in (pickle.dumps(_Deed()), roundabout):
        kept.path.write_bytes(head + b"\n" + body)
        assert kept.read() is None
        assert not deed.exists()
    pickle.loads(roundabout)
    assert deed.exists(), "the roundabout way is one"


def test_a_folder_that_cannot_be_written_costs_nothing(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    assert look_at(journal, criteria, blocked).read() is None


class Slow(FakeData):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def load(self, as_of: Moment | None) -> Snapshot:
        if as_of is None:
            assert self.may.wait(30)
        return replace(super().load(as_of), span=SPAN)


def opened(data: FakeData) -> ShadowApp:
    made = make_assessment()
    seen = replace(made, provenance=replace(made.provenance, seq=4000))
    return ShadowApp(data, refresh_s=NEVER_S, seen=Seen(assessment=seen, span=SPAN))


def play(app: ShadowApp, scenario: Scenario) -> None:
    """As `drive`, without waiting for the first look."""

    async def main() -> None:
        async with app.run_test(size=(120, 45)) as pilot:
            await scenario(pilot)

    asyncio.run(main())


def test_it_opens_with_the_past_and_turns_to_now() -> None:
    data = Slow()

    async def scenario(pilot: Pilot[int]) -> None:
        banner = "THE PAST, NOT NOW: what was seen last"
        await until(pilot, lambda: banner in text_of(pilot.app))
        shown = text_of(pilot.app)
        assert "SEEN LAST 23 Nov 08:30:00, seq 4,000" in shown
        assert "LIVE" not in shown
        # Asking for now asks nothing twice.
        await pilot.press("l")
        assert "SEEN LAST" in text_of(pilot.app)
        data.may.set()
        await until(pilot, lambda: "LIVE seq 4,236" in text_of(pilot.app))
        await pilot.pause()
        assert "NOT NOW" not in text_of(pilot.app)
        assert data.loaded == [None]

    play(opened(data), scenario)


def test_trouble_leaves_it_in_the_past_and_is_told() -> None:
    data = FakeData()
    kept, data.now, data.trouble = data.now, None, "week.duckdb: another process has locked it."

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "has locked it" in text_of(pilot.app))
        assert "THE PAST, NOT NOW" in text_of(pilot.app)
        data.now, data.trouble = kept, None
        assert isinstance(pilot.app, ShadowApp)
        pilot.app.look(None)
        await until(pilot, lambda: "LIVE seq 4,236" in text_of(pilot.app))

    play(opened(data), scenario)


def test_whoever_travels_meanwhile_is_left_where_they_are() -> None:
    data = Slow()
    data.steps[4000, False] = 3990

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "SEEN LAST" in text_of(pilot.app))
        await pilot.press("[")
        await until(pilot, lambda: "seq 3,990" in text_of(pilot.app))
        data.may.set()
        await pilot.pause(0.3)
        assert "seq 3,990 — not now" in text_of(pilot.app)

    play(opened(data), scenario)


def test_whoever_searches_meanwhile_stays_until_the_search_has_ended() -> None:
    data = Slow()

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "SEEN LAST" in text_of(pilot.app))
        await pilot.press("right_parenthesis")
        await until(pilot, lambda: "seq 4,000 — not now" in text_of(pilot.app))
        data.may.set()
        await pilot.pause(0.3)
        assert isinstance(pilot.app, ShadowApp)
        assert pilot.app.view.travel.searching is None
        assert "LIVE" not in text_of(pilot.app)

    play(opened(data), scenario)


def test_the_screens_load_nothing_that_reads_or_counts() -> None:
    """A second of start-up is what those libraries cost; the data's own processes have them."""
    code = (
        "import sys, harness.cli.watch, harness.cli.operations, harness.cli.dashboard_ports;"
        "import harness.tui.app, harness.tui.beside, harness.tui.last_look;"
        "print([m for m in ('polars', 'numpy', 'duckdb', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_moment_of_a_seen_one_is_its_own() -> None:
    """Not the clock's: an age on the screen would else grow younger than the evidence."""
    app = opened(FakeData())
    assert app.view.snapshot is not None
    assert app.view.snapshot.taken_at == make_assessment().provenance.as_of
    assert app.view.snapshot.taken_at < datetime.now(UTC)
