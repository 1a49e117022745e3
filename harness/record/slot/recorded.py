"""Asks the journal what it already holds of rows that change in place. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.journal.store import Journal
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A recorded row version."""

    xid: int
    """64-bit number in the event's key."""
    row: Mapping[str, Any]


class Recorded(Protocol):
    """What was recorded before. identities: of rows of table `kind`, as in the events' keys."""

    def since(
        self, kind: str, identities: Sequence[str], xid: int
    ) -> Mapping[str, Sequence[Version]]:
        """Return by identity the versions that transactions from `xid` on wrote, oldest first."""

    def newest(self, kind: str, identities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return by identity the row as it was recorded last."""


class NothingRecorded:
    """Stands for a journal where there is none."""

    def since(
        self, kind: str, identities: Sequence[str], xid: int
    ) -> Mapping[str, Sequence[Version]]:
        """Return nothing."""
        return {}

    def newest(self, kind: str, identities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return nothing."""
        return {}


class JournalVersions:
    """Answers from a journal file. Each question is one scan of a kind's events.

    Raises JournalBusyError and JournalError.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def since(
        self, kind: str, identities: Sequence[str], xid: int
    ) -> Mapping[str, Sequence[Version]]:
        """Return by identity the versions that transactions from `xid` on wrote, oldest first."""
        found: dict[str, list[Version]] = {}
        rows = self._ask("select_versions_since", kind=kind, identities=list(identities), xid=xid)
        for identity, number, payload in rows:
            found.setdefault(identity, []).append(Version(xid=number, row=json.loads(payload)))
        return found

    def newest(self, kind: str, identities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return by identity the row as it was recorded last."""
        rows = self._ask("select_newest_versions", kind=kind, identities=list(identities))
        return {identity: json.loads(payload) for identity, payload in rows}

    def _ask(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        query = sql_queries("journal/versions.sql")[name]
        with self._journal.reader() as reader:
            return reader.rows(query, **params)
