"""Two runs over the same record: what became better, worse or merely different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.model import EventDraft
from replay.versus import ChangeKind, compare_runs
from tests.support.events import make_again, make_replay
from tests.support.journals import make_journal

NO_WORDS = "No success indicators found on final page"


def ended(
    run: str,
    host: str,
    claimed: str,
    *,
    condition: str = "accepted",
    accepted: int = 0,
    **words: Any,
) -> EventDraft:
    draft = make_replay(claimed, accepted=accepted, run=run, host=host, **words)
    return replace(draft, payload={**draft.payload, "condition": condition})


def changed(folder: Path, *events: EventDraft) -> dict[str, ChangeKind]:
    with make_journal(folder, events).reader() as reader:
        found = compare_runs(reader, "a", "b")
    return {change.directory: change.kind for change in found.changes}


def test_right_is_what_the_control_did_and_the_site_saw(tmp_path: Path) -> None:
    assert changed(
        tmp_path,
        ended("a", "same.example", "submitted", accepted=1),
        ended("b", "same.example", "submitted", accepted=1),
        ended("a", "mended.example", "failed", error=NO_WORDS),
        ended("b", "mended.example", "submitted", accepted=1),
        ended("a", "broken.example", "failed", condition="refused", error=NO_WORDS),
        ended("b", "broken.example", "submitted", condition="refused"),
        ended("a", "unconfirmed.example", "submitted", accepted=1),
        ended("b", "unconfirmed.example", "submitted", accepted=0),
        ended("a", "reason.example", "failed", error=NO_WORDS),
        ended("b", "reason.example", "failed", error="Page.fill: Timeout 10000ms exceeded."),
        ended("a", "wording.example", "failed", error=NO_WORDS),
        ended("b", "wording.example", "failed", error=f"{NO_WORDS} (2)"),
        ended("a", "typed.example", "submitted", accepted=1, values={"name": "Ahorn"}),
        ended("b", "typed.example", "submitted", accepted=1, values={"name": "AHORN"}),
    ) == {
        "mended.example": ChangeKind.FIXED,
        "broken.example": ChangeKind.BROKE,
        "unconfirmed.example": ChangeKind.BROKE,
        "reason.example": ChangeKind.OTHER,
        "typed.example": ChangeKind.OTHER,
    }


def test_what_is_flaky_or_of_one_run_only_is_counted_and_judged_by_nothing(tmp_path: Path) -> None:
    events = [
        ended("a", "flaky.example", "failed", error=NO_WORDS),
        make_again(run="a", host="flaky.example"),
        ended("b", "flaky.example", "submitted", accepted=1),
        ended("a", "steady.example", "failed", error=NO_WORDS),
        make_again(run="a", host="steady.example", flaky=False),
        ended("b", "steady.example", "submitted", accepted=1),
        ended("a", "gone.example", "submitted", accepted=1),
    ]
    with make_journal(tmp_path, events).reader() as reader:
        found = compare_runs(reader, "a", "b")
    assert (found.compared, found.unsteady, found.only_one) == (2, 1, 1)
    assert [change.directory for change in found.changes] == ["steady.example"]
    assert found.count(ChangeKind.FIXED) == 1
