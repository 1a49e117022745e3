"""Looks at the journal; the only module here that opens it, and only for reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from harness.assess.build import assessment_of
from harness.assess.criteria import load_criteria
from harness.assess.moment import read_moment
from harness.errors import JournalError
from harness.journal.store import Head, Journal, utc_now
from harness.notify.standing import Standing, standing_of
from harness.settings import Settings

BUSY_TIMEOUT_S = 30.0
"""How long a look waits for a locked journal."""
RELOOK_AFTER = timedelta(minutes=10)
"""An attestation expires although nothing is recorded, so what is known is not known for ever."""


class JournalLook:
    """The newest end of a journal, judged anew only if something was recorded since."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._kept: tuple[Head, datetime, Standing] | None = None

    def __call__(self) -> Standing:
        """Where the journal stands now.

        Raises ShadowError where it is missing, empty, locked, foreign or damaged, or where the
        rules or gates that the settings name are wrong; they are read anew with every judgement.
        """
        path = self._settings.journal
        journal = Journal.open(path, busy_timeout_s=self._busy_timeout_s)
        head, now = journal.head(), self._clock()
        if head.seq == 0:
            raise JournalError(f"{path}: the journal is empty. Nothing has been recorded yet.")
        if self._kept:
            known, at, standing = self._kept
            if known == head and at <= now < at + RELOOK_AFTER:
                return standing
        criteria = load_criteria(self._settings)
        with journal.reader() as reader:
            read = read_moment(reader, criteria, now=now)
        standing = standing_of(assessment_of(read, criteria))
        self._kept = (head, now, standing)
        return standing
