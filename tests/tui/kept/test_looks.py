"""Looks that are kept: found again only for this very journal, judged by these very criteria."""

from __future__ import annotations

import os
import pickle
import zlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.assess.criteria import Criteria, load_criteria
from harness.journal.store import Journal
from harness.model import Batch, Watermark
from harness.settings import Settings
from harness.tui.data import DashboardData
from harness.tui.kept import looks as looks_module
from harness.tui.kept.looks import NEAR, KeptLooks
from harness.tui.kept.packing import Seen, pack, unpack
from harness.tui.kept.spacing import PARTS
from harness.tui.looked import Span
from tests.support.events import at, make_control, make_history, make_job


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


def looks_of(journal: Journal, criteria: Criteria, home: Path) -> KeptLooks:
    return KeptLooks(journal.path, {"XDG_STATE_HOME": str(home)}, criteria)


def look_at(journal: Journal, criteria: Criteria, home: Path) -> KeptLooks:
    """Open, look once and leave; what the next run will find."""
    looks = looks_of(journal, criteria, home)
    data = DashboardData(journal.path, criteria, clock=lambda: at(500), looks=looks)
    assert data.load(None).assessment is not None
    return looks_of(journal, criteria, home)


def seen_at(journal: Journal, criteria: Criteria, seq: int, *, last_seq: int = 1000) -> Seen:
    """A look at an invented moment, as long after `at(0)` as its seq says."""
    assessment = DashboardData(journal.path, criteria, clock=lambda: at(500)).load(None).assessment
    assert assessment is not None
    made = replace(assessment.provenance, seq=seq, as_of=at(seq))
    span = Span(first_at=at(1), last_at=at(last_seq), last_seq=last_seq)
    return Seen(assessment=replace(assessment, provenance=made), span=span)


def file_of(looks: KeptLooks) -> Path:
    (path,) = looks.folder.iterdir()
    return path


def seqs_of(looks: KeptLooks) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in looks.folder.iterdir())


def test_the_next_run_finds_the_very_assessment(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    assert looks_of(journal, criteria, tmp_path).newest() is None
    kept = look_at(journal, criteria, tmp_path)
    found = kept.newest()
    assert found is not None
    now = DashboardData(journal.path, criteria, clock=lambda: at(500)).load(None)
    assert found == Seen(assessment=now.assessment, span=now.span)  # type: ignore[arg-type]
    assert file_of(kept).stat().st_mode & 0o777 == 0o600
    assert kept.folder.stat().st_mode & 0o777 == 0o700


def test_a_look_at_the_past_is_nothing_to_open_with(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tui.data.WORTH_S", 60.0)
    looks = looks_of(journal, criteria, tmp_path)
    data = DashboardData(journal.path, criteria, clock=lambda: at(500), looks=looks)
    assert data.load(2).assessment is not None
    assert not looks.folder.exists(), "a moment that is read in no time is not kept"
    assert data.prepare(2)
    assert looks.newest() is None
    found = looks.before(2, last_seq=3)
    assert found is not None
    assert found.assessment == data.load(2).assessment


def test_a_moment_that_took_its_time_is_kept(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tui.data.WORTH_S", 0.0)
    looks = looks_of(journal, criteria, tmp_path)
    DashboardData(journal.path, criteria, clock=lambda: at(500), looks=looks).load(2)
    assert seqs_of(looks) == [2]


def test_another_journal_in_its_place_is_not_taken_for_it(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    journal.path.unlink()
    assert kept.newest() is None
    recorded(journal.path)
    assert kept.newest() is None
    assert kept.before(3, last_seq=3) is None


def test_what_was_judged_otherwise_is_not_shown(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    look_at(journal, criteria, tmp_path)
    changes: dict[str, Any] = {
        "deadline_s": 1.0,
        "time_scale": 7.0,
        "since": at(1),
        "phase": "cut-over",
    }
    for name, value in changes.items():
        other = replace(criteria, **{name: value})
        assert looks_of(journal, other, tmp_path).newest() is None, name
    rules = criteria.rules.model_copy(update={"rule": criteria.rules.rule[:1]})
    judged = looks_of(journal, criteria, tmp_path)
    assert judged.newest() is not None
    judged.judge_by(replace(criteria, rules=rules))
    assert judged.newest() is None


def test_what_is_judged_by_former_criteria_is_not_kept(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    seen = seen_at(journal, criteria, 10)
    looks = looks_of(journal, replace(criteria, deadline_s=1.0), tmp_path)
    assert not looks.keep(seen, now=True)
    assert not looks.folder.exists()


def test_values_of_another_layout_are_not_unpacked(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    assert kept.newest() is not None
    monkeypatch.setattr(looks_module, "layout", lambda: "a field more")
    assert kept.newest() is None


def test_a_file_that_others_can_read_or_that_is_damaged_is_as_none(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    kept = look_at(journal, criteria, tmp_path)
    path = file_of(kept)
    whole = path.read_bytes()
    path.chmod(0o644)
    assert kept.newest() is None
    path.chmod(0o600)
    assert kept.newest() is not None
    for damaged in (b"", b"\n", whole[: len(whole) // 2], zlib.compress(b"no look")):
        path.write_bytes(damaged)
        assert kept.newest() is None


def test_a_file_under_another_name_is_no_look_at_that_moment(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    looks = looks_of(journal, criteria, tmp_path)
    assert looks.keep(seen_at(journal, criteria, 700), now=False)
    path = file_of(looks)
    path.rename(path.with_name(path.name.replace("-700-", "-710-")))
    assert looks.before(712, last_seq=1000) is None


class _Deed:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(Path(os.environ["DEED"])),)


def test_unpacking_carries_nothing_out(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed = tmp_path / "deed"
    monkeypatch.setenv("DEED", str(deed))
    # The second goes through a module of ours to one that it imports.
    words = [b"\x8c" + bytes([len(word)]) + word for word in map(str.encode, (
        "harness.tui.kept.packing", "harness.whole_file.os.mkdir", str(deed)
    ))]  # fmt: skip
    roundabout = b"\x80\x04" + words[0] + words[1] + b"\x93" + words[2] + b"\x85R."
    for body in (pickle.dumps(_Deed()), roundabout):
        assert unpack(zlib.compress(body)) is None
        assert not deed.exists()
    pickle.loads(roundabout)
    assert deed.exists(), "the roundabout way is one"
    packed = pack(seen_at(journal, criteria, 5))
    assert packed is not None
    assert unpack(packed) == seen_at(journal, criteria, 5)


def test_a_folder_that_cannot_be_written_costs_nothing(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    assert look_at(journal, criteria, blocked).newest() is None
    looks = looks_of(journal, criteria, blocked)
    data = DashboardData(journal.path, criteria, clock=lambda: at(500), looks=looks)
    assert not data.prepare(2)


def test_the_newest_look_shortly_before_a_moment_stands_in_for_it(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    looks = looks_of(journal, criteria, tmp_path)
    for seq in (500, 540, 900):
        assert looks.keep(seen_at(journal, criteria, seq), now=False)
    near = 1000 // NEAR

    def found(moment: object, last_seq: int | None = 1000) -> int | None:
        seen = looks.before(moment, last_seq=last_seq)  # type: ignore[arg-type]
        return seen.assessment.provenance.seq if seen else None

    assert found(499) is None, "none is before it"
    assert (found(500), found(539), found(540)) == (500, 500, 540)
    assert (found(540 + near), found(541 + near)) == (540, None), "too far is nothing to go by"
    # Of a time it is not known which seq it is, but before which look it lies.
    assert (found(at(520)), found(at(540))) == (500, None)
    assert (found(at(899)), found(at(2000))) == (None, None)
    assert found(at(2000), last_seq=930) == 900
    # Where the end is not known, looks on both sides tell enough.
    assert (found(520, None), found(at(520), None), found(9000, None)) == (500, 500, None)


def test_a_place_on_the_track_is_the_look_in_its_middle(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    looks = looks_of(journal, criteria, tmp_path)
    for seq in (500, 512, 540):
        looks.keep(seen_at(journal, criteria, seq), now=False)
    assert looks.inside(495, 525) == 512
    assert looks.inside(501, 511) is None


def test_the_widest_gap_is_looked_at_next_until_all_are_narrow(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    looks = looks_of(journal, criteria, tmp_path)
    seen = seen_at(journal, criteria, 1)
    order = []
    while (seq := looks.wanted(1000)) is not None:
        order.append(seq)
        made = replace(seen.assessment.provenance, seq=seq, as_of=at(seq))
        looks.keep(replace(seen, assessment=replace(seen.assessment, provenance=made)), now=False)
    assert order[:3] == [500, 750, 250]
    edges = [0, *sorted(order), 1000]
    assert max(b - a for a, b in pairwise(edges)) <= 1000 // PARTS


def test_there_is_room_for_so_many_and_the_present_stays(
    journal: Journal, criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks_module, "MOST_LOOKS", 4)
    other = looks_of(journal, replace(criteria, deadline_s=1.0), tmp_path)
    stranger = seen_at(journal, replace(criteria, deadline_s=1.0), 400)
    assert other.keep(stranger, now=True)
    looks = looks_of(journal, criteria, tmp_path)
    for seq in (100, 200, 210):
        looks.keep(seen_at(journal, criteria, seq), now=False)
    looks.keep(seen_at(journal, criteria, 220), now=True)
    assert seqs_of(looks) == [100, 200, 210, 220], "what was judged otherwise goes first"
    looks.keep(seen_at(journal, criteria, 900), now=False)
    assert seqs_of(looks) == [100, 200, 220, 900], "the one that is missed least goes"
    looks.keep(seen_at(journal, criteria, 221), now=False)
    assert 220 in seqs_of(looks), "the last present is what the next run opens with"
    monkeypatch.setattr(looks_module, "MOST_BYTES_OF_ALL", 1)
    looks.keep(seen_at(journal, criteria, 950), now=True)
    assert seqs_of(looks) == [950]


def test_cheap_looks_at_the_present_replace_each_other(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    looks = looks_of(journal, criteria, tmp_path)
    for seq in (100, 200, 300):
        looks.keep(seen_at(journal, criteria, seq), now=True, alone=True)
    assert seqs_of(looks) == [300]
    looks.keep(seen_at(journal, criteria, 400), now=True)
    assert seqs_of(looks) == [300, 400]


def test_what_a_killed_writer_left_is_taken_away_in_time(
    journal: Journal, criteria: Criteria, tmp_path: Path
) -> None:
    looks = looks_of(journal, criteria, tmp_path)
    looks.keep(seen_at(journal, criteria, 100), now=False)
    whole = file_of(looks)
    old, fresh = (whole.with_name(f".{whole.name}.{end}") for end in ("old", "fresh"))
    for torn in (old, fresh):
        torn.write_bytes(b"half a look")
    os.utime(old, (0, 0))
    looks.keep(seen_at(journal, criteria, 200), now=False)
    assert not old.exists()
    assert fresh.exists(), "somebody may write it just now"
