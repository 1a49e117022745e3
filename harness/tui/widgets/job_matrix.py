"""The submissions of one job as a matrix: directory by side."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.widgets import DataTable

from harness.assessment import JobSubmission
from harness.model import LIVE
from harness.tui.widgets.job_words import VERDICT_WORDS
from harness.tui.wording import NOTHING, duration, kind_words, plain

WIDE = 110
_VERDICT, _OUTCOME, _ERROR, _TOOK = 13, 9, 16, 7
_PADDING = 2
_FRAME = 8
"""Columns of the screen that border, padding and scroll bars take."""
_LEAST_DIRECTORY = 12


class JobMatrix(DataTable[Text]):
    """One row a directory and mode: outcome, error class and duration of both sides, verdict."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True, classes="panel")
        self.border_title = "Submissions"
        self._shown: tuple[tuple[JobSubmission, ...], int] | None = None

    def show(self, submissions: tuple[JobSubmission, ...], width: int) -> None:
        """Fill the matrix anew if it has changed. width: columns of the screen."""
        if (submissions, width) == self._shown:
            return
        row = self.cursor_row
        self._shown = submissions, width
        self.border_subtitle = f"{len(submissions):,} submissions"
        self.clear(columns=True)
        wide = width >= WIDE
        titles = _titles(submissions) if wide else _SHORT
        room = width - _FRAME - sum(size + _PADDING for _, size in titles) - _PADDING
        self.add_column("Directory", width=max(_LEAST_DIRECTORY, room))
        for title, size in titles:
            self.add_column(title, width=size)
        for one in submissions:
            self.add_row(*_cells(one, wide=wide))
        if row < len(submissions):
            self.move_cursor(row=row, animate=False)


_OUTCOMES = (("Old", _OUTCOME), ("New", _OUTCOME), ("Verdict", _VERDICT))
_SHORT = (*_OUTCOMES, ("Old→new took", 15))


def _titles(submissions: tuple[JobSubmission, ...]) -> tuple[tuple[str, int], ...]:
    """Errors take what their words need: the name of the directory needs the rest."""

    def room(title: str, errors: Iterable[str | None]) -> tuple[str, int]:
        longest = max((len(_error(error)) for error in errors), default=0)
        return title, min(_ERROR, max(len(title), longest))

    return (
        *_OUTCOMES,
        room("Error old", (one.control_error for one in submissions)),
        room("Error new", (one.candidate_error for one in submissions)),
        ("Took old", 8), ("Took new", 8),
    )  # fmt: skip


def _cells(one: JobSubmission, *, wide: bool) -> list[Text]:
    where = plain(one.directory) or "no address"
    if one.mode != LIVE:
        where = f"{plain(one.mode)}: {where}"
    old, new = _outcome(one.control_outcome), _outcome(one.candidate_outcome)
    took = duration(one.control_s), duration(one.candidate_s)
    texts = [where, old, new, VERDICT_WORDS[one.verdict]]
    if wide:
        texts += [_error(one.control_error), _error(one.candidate_error), *took]
    else:
        texts.append(f"{took[0]}→{took[1]}")
    return [Text(text, no_wrap=True, overflow="ellipsis") for text in texts]


def _outcome(outcome: str | None) -> str:
    return NOTHING if outcome is None else kind_words(outcome)


def _error(error: str | None) -> str:
    return NOTHING if error is None else kind_words(error)
