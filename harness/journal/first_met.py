"""Which detectors have an event to look at: of each condition, the first event that meets it."""

from __future__ import annotations

import threading

from harness.journal.detectors import TRIED, VIEWS, Scope, conditions_on, tried_in
from harness.journal.focus import Identity, read_identity
from harness.journal.reader import Reader


class FirstMet:
    """The first event that meets each condition, of those that were read so far.

    Events never change, so each is tried once, and every earlier moment of the same record is
    answered for too. Another record than before begins anew. Thread-safe.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._read = Identity(journal_id="", before="", hash="")
        self._seq = 0
        self._first: dict[str, int] = {}

    def by(self, reader: Reader) -> set[str]:
        """The detectors of which an event meets a condition, as of the reader's moment."""
        with self._guard:
            self._bring(reader)
            return {one for one, seq in self._first.items() if seq <= reader.as_of_seq}

    def _bring(self, reader: Reader) -> None:
        until = max(self._seq, reader.as_of_seq)
        now = read_identity(reader, before=self._seq, until=until)
        if (now.journal_id, now.before) != (self._read.journal_id, self._read.hash):
            self._seq, self._first = 0, {}
            now = read_identity(reader, before=0)
        if reader.as_of_seq > self._seq:
            for scope in TRIED:
                for name in sorted(tried_in(scope) - VIEWS):
                    self._try(reader, scope, name)
            self._seq, self._read = reader.as_of_seq, now

    def _try(self, reader: Reader, scope: Scope, name: str) -> None:
        of = conditions_on(scope, name)
        firsts = ", ".join(f"min(seq) FILTER ({condition})" for condition in of.values())
        query = f"SELECT {firsts} FROM events_now WHERE kind = $kind AND seq > $after"
        (found,) = reader.rows(query, kind=name, after=self._seq)
        for one, seq in zip(of, found, strict=True):
            if seq is not None:
                self._first[one] = min(seq, self._first.get(one, seq))
