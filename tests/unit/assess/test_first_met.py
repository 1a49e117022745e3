"""What former looks read of the events is right at every moment, and of this very record only."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from harness.journal.detectors import TRIED, VIEWS, catalogue
from harness.journal.findings import detect
from harness.journal.first_met import FirstMet
from harness.journal.reader import Reader
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.journals import make_journal, sound_job
from tests.unit.assess.test_findings import LIMITS, PLANTS

PLANTED = [plant[0] for plant in PLANTS.values()]


def _grow(journal: Journal, planted: Iterable[Sequence[EventDraft]]) -> Journal:
    for events in planted:
        journal.append(Batch(events=tuple(events)))
    return journal


def _grown(folder: Path) -> Journal:
    return _grow(make_journal(folder, sound_job()), PLANTED)


def _alike(journal: Journal, met: FirstMet, moment: int | None = None) -> set[str]:
    """What former looks make of a moment, which is what a look without them makes of it."""
    with journal.reader(moment) as reader:
        found = met.by(reader)
        assert found == FirstMet().by(reader)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_looks_to_and_fro_find_what_each_alone_finds(tmp_path: Path, seed: int) -> None:
    journal, chance, met = _grown(tmp_path), random.Random(seed), FirstMet()
    last = journal.head().seq
    moments = [chance.randint(1, last) for _ in range(12)]
    found = [len(_alike(journal, met, moment)) for moment in (*moments, last, moments[0])]
    assert len(set(found)) > 3


def test_a_detector_runs_from_its_event_on_and_not_before(tmp_path: Path) -> None:
    met, journal = FirstMet(), _grow(make_journal(tmp_path, sound_job()), [PLANTS["no_plan"][0]])
    found = []
    for moment in (None, len(sound_job())):
        with journal.reader(moment) as reader:
            found.append([one.id for one in detect(reader, **LIMITS, first_met=met)])
    assert found == [["no_plan"], []]


def test_another_journal_begins_anew(tmp_path: Path) -> None:
    met = FirstMet()
    for name, planted in (("a", PLANTED), ("b", PLANTED[:0]), ("c", PLANTED[9:20])):
        (tmp_path / name).mkdir()
        journal = _grow(make_journal(tmp_path / name, sound_job()), planted)
        _alike(journal, met)


def test_a_copy_that_grew_otherwise_begins_anew(tmp_path: Path) -> None:
    met, one = FirstMet(), _grow(make_journal(tmp_path, sound_job()), PLANTED[:5])
    other = Journal(Path(shutil.copy(one.path, tmp_path / "copy.duckdb")))
    for journal in (_grow(one, PLANTED[5:20]), _grow(other, PLANTED[20:])):
        _alike(journal, met)


def test_what_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, met, asked = _grown(tmp_path), FirstMet(), []
    plain = Reader.rows
    monkeypatch.setattr(
        Reader, "rows", lambda self, sql, **known: asked.append(known) or plain(self, sql, **known)
    )
    for moment in (50, None, 20):
        with journal.reader(moment) as reader:
            met.by(reader)
    assert {known["after"] for known in asked if "after" in known} == {0, 50}


def test_a_condition_on_events_looks_at_nothing_but_the_event() -> None:
    told = [
        condition
        for detector in catalogue()
        if detector.scope in TRIED
        for name, condition in detector.reads.items()
        if name not in VIEWS
    ]
    assert told
    assert not [condition for condition in told if "$until" in condition or "$dead" in condition]
