"""The state file: whole or not at all, rebuilt if lost, and never somebody else's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem, SettingsError
from harness.notify.ledger import Ledger, observe, undelivered
from harness.notify.state import StateFile, state_path
from tests.support.notices import LOOKED_AT, Listener, make_standing


def lived() -> Ledger:
    """A ledger with something in every field."""
    listener = Listener()
    gate, lost = "gate:shadow.zero_loss", "finding:live:never_enqueued"
    listener.look(make_standing({gate: "pass", "decision": "GO"}), LOOKED_AT)
    after = make_standing({gate: "fail"}, {lost: ["job 1 at ünï.example"]}, seq=101)
    return undelivered(observe(listener.ledger, after, LOOKED_AT), LOOKED_AT, retry_after_s=9.5)


@pytest.fixture
def state(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "week.duckdb.notify.json")


def test_what_was_saved_is_loaded_again_exactly(state: StateFile) -> None:
    ledgers = {"webhook": lived(), "file": Ledger()}
    state.save(ledgers)
    assert state.load() == (ledgers, None)
    assert state.path.stat().st_mode & 0o077 == 0
    assert [path.name for path in state.path.parent.iterdir()] == [state.path.name]


def test_without_a_file_nothing_is_remembered_and_that_is_no_damage(state: StateFile) -> None:
    assert state.load() == ({}, None)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_torn_file_is_told_and_begun_anew(state: StateFile, share: float) -> None:
    state.save({"webhook": lived()})
    whole = state.path.read_text()
    state.path.write_text(whole[: int(share * len(whole))])
    ledgers, anew = state.load()
    assert ledgers == {}
    assert anew == f"{state.path} is damaged; starting anew."
    state.save({})
    assert state.load() == ({}, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is damaged"), ('{"shadow_notify":2,"channels":{}}', "is of version 2"),
     ('{"shadow_notify":1,"channels":{"file":{"seq":"x"}}}', "is damaged"),
     ('{"shadow_notify":1}', "is damaged")],
)  # fmt: skip
def test_a_file_of_ours_that_cannot_be_used_is_begun_anew(
    state: StateFile, text: str, words: str
) -> None:
    state.path.write_text(text)
    ledgers, anew = state.load()
    assert ledgers == {}
    assert words in str(anew)


def test_a_file_that_is_none_of_ours_is_left_alone(state: StateFile) -> None:
    state.path.write_bytes(b"[record]\ntick = '2s'\n\xff")
    with pytest.raises(EnvironmentProblem, match="is no state file of shadow notify"):
        state.load()


def test_a_file_that_cannot_be_written_keeps_its_content_and_says_so(
    state: StateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.save({"webhook": lived()})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EnvironmentProblem, match=r"No space left on device.*nothing is told"):
        state.save({})
    assert state.load() == ({"webhook": lived()}, None)
    assert [path.name for path in state.path.parent.iterdir()] == [state.path.name]


def test_only_one_process_works_on_it_at_a_time(state: StateFile) -> None:
    busy = pytest.raises(EnvironmentProblem, match="another shadow notify is at work")
    with state.held(), busy:
        StateFile(state.path).held().__enter__()
    with StateFile(state.path).held():
        pass


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"none.*cannot be made"):
        StateFile(tmp_path / "none" / "state.json").held().__enter__()


def test_the_journal_itself_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "week.duckdb"
    assert state_path(journal, None) == tmp_path / "week.duckdb.notify.json"
    assert state_path(journal, tmp_path / "x") == tmp_path / "x"
    with pytest.raises(SettingsError, match=r"notify\.state = .*: this is the journal"):
        state_path(journal, tmp_path / "." / "week.duckdb")
