"""The data in processes of its own says what it says in ours, and their death is words."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import psutil
import pytest

from harness.assess.criteria import load_criteria
from harness.assess.job_search import JobSearch
from harness.errors import EnvironmentProblem, JournalBusyError, ShadowError
from harness.journal.store import Journal
from harness.model import Batch
from harness.settings import Settings
from harness.tui.beside import DataBeside, journal_data
from harness.tui.data import DashboardData
from harness.tui.kept.looks import KeptLooks
from harness.tui.looked import Moment, Snapshot
from tests.support.events import JOB, at, make_control, make_history, make_job
from tests.support.journals import make_watermarks
from tests.tui.support import FakeData

CRITERIA = load_criteria(Settings())


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal.create(tmp_path / "week.duckdb", clock=lambda: at(100))
    events = (make_job(), make_control("submitted"), make_history("failed", number=1, second=3))
    journal.append(Batch(events=events, watermarks=make_watermarks(at(60))))
    return journal


@pytest.fixture
def beside(journal: Journal) -> Iterator[DataBeside]:
    data = DataBeside(partial(DashboardData, journal.path, CRITERIA), CRITERIA)
    yield data
    data.close()


def children() -> list[int]:
    """The data processes of this one that live, by their pids, whoever began them."""
    return [one.pid for one in active_children() if one.name == "shadow-watch-data" and one.pid]


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """End a process, and leave it to whoever began it to hear of that."""
    os.kill(pid, number)
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)


def test_it_answers_what_the_journal_answers_here(beside: DataBeside, journal: Journal) -> None:
    here = DashboardData(journal.path, CRITERIA)
    for moment in (None, 2, at(50)):
        there = beside.load(moment)
        assert replace(there, taken_at=at(0)) == replace(here.load(moment), taken_at=at(0))
    assessment = beside.load(None).assessment
    assert assessment is not None
    (difference, *_) = assessment.differences
    assert beside.detail(difference, None) == here.detail(difference, None)
    assert beside.explain(difference, None) == here.explain(difference, None)
    assert beside.seq_at(at(100)) == here.seq_at(at(100))
    assert beside.rules() == here.rules()
    name = here.rules()[0].name
    assert beside.weigh_rule(name, None) == here.weigh_rule(name, None)
    assert beside.step(2, forward=False) == here.step(2, forward=False)
    assert beside.job(JOB, None) == here.job(JOB, None)
    pages = (one.jobs(JobSearch(), offset=0, limit=10, as_of=None) for one in (beside, here))
    assert next(pages) == next(pages)
    assert beside.files_now().bytes == here.files_now().bytes
    assert beside.verify()[1] == here.verify()[1]


def test_an_assessment_stays_the_same_object_until_the_journal_grows(
    beside: DataBeside, journal: Journal
) -> None:
    first = beside.load(None).assessment
    assert first is not None
    assert beside.load(None).assessment is first
    journal.append(Batch(events=(make_history("submitted", number=2, second=4),)))
    second = beside.load(None).assessment
    assert second is not None
    assert second.provenance.seq == first.provenance.seq + 1
    # More moments than are kept on either side: each comes anew and is the same.
    for seq in (1, 2, 3, 4) * 2:
        found = beside.load(seq).assessment
        assert found is not None
        assert found.provenance.seq == seq
    assert beside.load(None).assessment == second


def test_other_criteria_hold_from_then_on_for_a_process_that_begins_later_too(
    beside: DataBeside,
) -> None:
    first = beside.load(None).assessment
    assert first is not None
    others = replace(CRITERIA, rules=CRITERIA.rules.without("trim-space"))
    beside.judge_by(others)
    for _ in range(2):
        found = beside.load(None)
        while found.trouble is not None:
            found = beside.load(None)
        assert found.assessment is not None
        assert found.assessment.provenance.rules_version == others.rules.digest
        assert first.provenance.rules_version != others.rules.digest
        for pid in children():
            kill(pid)
    assert beside.rules() == others.rules.rule


def test_a_missing_journal_is_trouble_and_an_unreadable_one_an_error(
    beside: DataBeside, journal: Journal
) -> None:
    assert beside.load(None).trouble is None
    journal.path.rename(journal.path.with_suffix(".away"))
    gone = beside.load(None)
    assert "there is no journal" in str(gone.trouble)
    with pytest.raises(ShadowError, match="there is no journal"):
        beside.step(1, forward=True)


def test_its_death_is_said_and_the_next_look_begins_it_anew(beside: DataBeside) -> None:
    before = beside.load(None)
    (pid,) = children()
    kill(pid)
    # Nobody may hear of the death before a question meets it.
    after = beside.load(None)
    if after.trouble is not None:
        assert "ended (signal SIGKILL)" in after.trouble
        assert after.assessment is before.assessment
        after = beside.load(None)
    assert after.trouble is None
    assert after.assessment == before.assessment
    assert children() != [pid]


def test_a_question_that_the_process_dies_with_fails(journal: Journal) -> None:
    beside = DataBeside(_Stuck, CRITERIA)
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            beside.step(1, forward=True)
        except EnvironmentProblem as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not children():
        time.sleep(0.01)
    time.sleep(0.1)
    kill(children()[0], signal.SIGTERM)
    thread.join(timeout=20)
    assert "ended (signal SIGTERM)" in str(failed[0])
    beside.close()


def test_a_look_ahead_is_kept_and_its_process_ends_when_it_is_told_to(
    journal: Journal, tmp_path: Path
) -> None:
    looks = KeptLooks(journal.path, {"XDG_STATE_HOME": str(tmp_path)}, CRITERIA)
    beside = DataBeside(partial(journal_data, journal.path, CRITERIA, looks=looks), CRITERIA)
    assert beside.prepare(2)
    (pid,) = children()
    assert psutil.Process(pid).nice() > psutil.Process().nice()
    beside.stop_preparing()
    assert children() == []
    seen = looks.before(2, last_seq=3)
    assert seen is not None
    assert seen.assessment == beside.load(2).assessment
    # Other criteria come to one that begins again, and none has to be there to hear of them.
    others = replace(CRITERIA, rules=CRITERIA.rules.without("trim-space"))
    beside.judge_by(others)
    looks.judge_by(others)
    assert looks.before(2, last_seq=3) is None
    assert beside.prepare(2)
    assert looks.before(2, last_seq=3) is not None
    beside.close()


def test_whoever_waits_for_a_look_ahead_hears_of_its_end() -> None:
    beside = DataBeside(_Stuck, CRITERIA)
    failed: list[BaseException] = []

    def prepare() -> None:
        try:
            beside.prepare(1)
        except EnvironmentProblem as error:
            failed.append(error)

    for _ in range(2):
        thread = threading.Thread(target=prepare)
        thread.start()
        while not children():
            time.sleep(0.01)
        beside.stop_preparing()
        thread.join(timeout=20)
    assert len(failed) == 2
    assert children() == []
    beside.close()


def test_a_look_in_hand_can_be_dropped_from_here() -> None:
    beside = DataBeside(_Dropped, CRITERIA)
    beside.drop()
    assert children() == [], "nobody is begun only to be told that"
    told: list[Snapshot] = []
    thread = threading.Thread(target=lambda: told.append(beside.load(1)))
    thread.start()
    while thread.is_alive():
        beside.drop()
        time.sleep(0.05)
    assert told[0].trouble == "dropped"
    beside.close()


def test_errors_come_across_with_where_they_arose() -> None:
    beside = DataBeside(_Faulty, CRITERIA)
    with pytest.raises(JournalBusyError, match="locked for 2 s"):
        beside.step(1, forward=True)
    with pytest.raises(ZeroDivisionError) as caught:
        beside.load(None)
    assert "in load" in "".join(caught.value.__notes__)
    beside.close()


def test_ctrl_c_is_not_for_it_and_closing_leaves_nothing(beside: DataBeside) -> None:
    beside.load(None)
    (pid,) = children()
    os.kill(pid, signal.SIGINT)
    assert beside.load(None).trouble is None
    assert children() == [pid]
    beside.close()
    assert children() == []
    assert "closing" in str(beside.load(None).trouble)


class _Stuck(FakeData):
    def __init__(self) -> None:
        super().__init__()

    def prepare(self, seq: int) -> bool:
        """Never answers."""
        time.sleep(600)
        return True

    def step(self, seq: int, *, forward: bool) -> int | None:
        """Never answers."""
        time.sleep(600)
        return None


class _Dropped(FakeData):
    def __init__(self) -> None:
        super().__init__()
        self.dropped = threading.Event()

    def load(self, as_of: Moment | None) -> Snapshot:
        """Until it is dropped."""
        told = "dropped" if self.dropped.wait(20) else "nobody dropped it"
        return Snapshot(assessment=None, trouble=told, taken_at=at(0))

    def drop(self) -> None:
        """Ends it."""
        self.dropped.set()


class _Faulty(FakeData):
    def __init__(self) -> None:
        super().__init__()

    def step(self, seq: int, *, forward: bool) -> int | None:
        """What a user can mend."""
        raise JournalBusyError("week.duckdb: another process kept the journal locked for 2 s.")

    def load(self, as_of: Moment | None) -> Snapshot:
        """A fault of ours."""
        return Snapshot(assessment=None, trouble=str(1 // 0), taken_at=at(0))
