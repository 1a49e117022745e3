"""What a dashboard saw last, kept for the next one: it opens with that while the journal is read.

Shown only as the past, under its own moment. It is for this very journal file, these rules and
gates and this version of the tool; anything else is as if there were nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness.assessment
from harness import __version__
from harness.assessment import Assessment
from harness.tui.looked import Span
from harness.tui.state import state_path
from harness.whole_file import write_whole

if TYPE_CHECKING:
    from harness.assess.criteria import Criteria

_VERSION = 1
_MOST_BYTES = 200_000_000
_FILE_HEADER = 4096
"""The first bytes of a DuckDB file: written once, with an identifier drawn when it was made."""
_MODULES = ("datetime", "harness.assessment.", "harness.model", "harness.tui.looked", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An assessment of what was the present, and how far the journal reached."""

    assessment: Assessment
    span: Span


class LastLook:
    """The last look at one journal by one user. Reading and writing never raise."""

    def __init__(self, journal: Path, environ: Mapping[str, str], criteria: Criteria) -> None:
        self.path = state_path(journal, environ, "look-{}.bin")
        self._journal = journal
        self._criteria = criteria

    def read(self) -> Seen | None:
        """What was seen last; None if there is nothing that may be shown."""
        try:
            # Nobody else may have written what is unpacked here, or read what it tells.
            if not _ours(self.path) or self.path.stat().st_size > _MOST_BYTES:
                return None
            head, _, body = self.path.read_bytes().partition(b"\n")
            if json.loads(head) != self._head():
                return None
            seen = _Unpacked(io.BytesIO(body)).load()
        except Exception:
            # Damaged in whatever way: the journal itself is read in a moment.
            return None
        return seen if isinstance(seen, Seen) and self._same_criteria(seen.assessment) else None

    def write(self, seen: Seen) -> None:
        """Keep it, readable by its owner alone."""
        try:
            packed = json.dumps(self._head()).encode() + b"\n" + pickle.dumps(seen, protocol=5)
            if len(packed) > _MOST_BYTES:
                return
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self.path, packed)
        except OSError:
            # A disk that is full or read-only costs the next dashboard a second, nothing else.
            return

    def judge_by(self, criteria: Criteria) -> None:
        """What is written from now on was judged by these."""
        self._criteria = criteria

    def _head(self) -> dict[str, Any]:
        with self._journal.open("rb") as file:
            header = file.read(_FILE_HEADER)
        return {
            "version": _VERSION,
            "tool": __version__,
            "layout": _layout(),
            "journal": hashlib.sha256(header).hexdigest(),
        }

    def _same_criteria(self, assessment: Assessment) -> bool:
        made, criteria = assessment.provenance, self._criteria
        return (
            made.rules_version == criteria.rules.digest
            and made.gates_version == criteria.gates.version
            and made.since == criteria.since
            and made.deadline_s == criteria.deadline_s
            and made.time_scale == criteria.time_scale
            and made.phase == (criteria.phase or criteria.gates.decide or "")
        )


class _Unpacked(pickle.Unpickler):
    """Makes values of an assessment, and nothing that could do anything."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if module.startswith(_MODULES) else None
        # Where it is defined counts: a name may lead through a module to anything it imports.
        if isinstance(found, type) and found.__module__.startswith(_MODULES):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an assessment")


@cache
def _layout() -> str:
    """What an assessment is made of: unpacking goes by the order of fields and asks no names."""
    kinds = [Seen, Span, *vars(harness.assessment).values()]
    told = sorted(
        (kind.__name__, [one.name for one in fields(kind)])
        for kind in kinds
        if isinstance(kind, type) and is_dataclass(kind)
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _ours(path: Path) -> bool:
    found = path.stat()
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return mine and stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
