"""Jobs are selected by the verdicts that the assessment shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assess.selecting import jobs_of
from harness.model import Verdict
from tests.support.events import JOB, make_control, make_job
from tests.support.journals import assessed, criteria, make_journal
from tests.support.shapes import LIVE, MIGRATED, make_look


@pytest.mark.parametrize(
    ("shape", "verdict"), [(MIGRATED, Verdict.MISSING_CANDIDATE), (LIVE, Verdict.IN_FLIGHT)]
)
def test_silence_that_could_not_be_heard_is_not_selected_as_missing(
    tmp_path: Path, shape: tuple[str, ...], verdict: Verdict
) -> None:
    journal = make_journal(tmp_path, [make_look(*shape), make_job(), make_control()])
    assert dict(assessed(journal).agreement.verdicts)[verdict] == 1
    with journal.reader() as reader:
        selected = {word: jobs_of(reader, criteria(), outcomes=[word.value]) for word in Verdict}
    assert selected == {word: frozenset([JOB] if word is verdict else []) for word in Verdict}
