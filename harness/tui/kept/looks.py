"""Looks at one journal by one user, kept on disk: what the next run opens with, and what a jump
shows until the journal has been read.

Shown only as the past, each under its own moment. A look is for this very journal file, these rules
and gates and this version of the tool; for anything else it is as if it were not there.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.tui.kept.packing import MOST_BYTES, Seen, layout, pack, unpack
from harness.tui.kept.spacing import least_missed, widest_gap
from harness.tui.looked import Moment
from harness.tui.state import state_path
from harness.whole_file import write_whole

if TYPE_CHECKING:
    from harness.assess.criteria import Criteria

MOST_LOOKS = 1000
"""Kept of one journal, more than `spacing.PARTS` asks for: where people look, more are wanted."""
MOST_BYTES_OF_ALL = 256_000_000
NEAR = 16
"""A look stands in for a later moment if at most this part of the record can lie between."""
_TORN_S = 3600.0
_FILE_HEADER = 4096
"""The first bytes of a DuckDB file: written once, with an identifier drawn when it was made."""
_NAME = re.compile(r"([0-9a-f]{16})-(\d+)-(\d+)-(now|then)\.bin")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    path: Path
    key: str
    seq: int
    at: datetime
    now: bool
    """Whether it was the present when it was made."""
    bytes: int


class KeptLooks:
    """The looks that are kept of one journal. Nothing here raises."""

    def __init__(self, journal: Path, environ: Mapping[str, str], criteria: Criteria) -> None:
        self.folder = state_path(journal, environ, "looks-{}")
        self._journal = journal
        self._criteria = criteria

    def newest(self) -> Seen | None:
        """What was the present when it was last seen; None if there is nothing to be shown."""
        found = [one for one in self._ours() if one.now]
        return self._read(found[-1]) if found else None

    def before(self, moment: Moment, *, last_seq: int | None) -> Seen | None:
        """The newest look at a moment or shortly before it; None where none is near.

        last_seq: where the record ends; None where that is not known.
        """
        kept = self._ours()
        of = [one.seq <= moment if isinstance(moment, int) else one.at <= moment for one in kept]
        place = sum(of)
        if not place or (last_seq is None and place == len(kept)):
            return None
        found, end = kept[place - 1], last_seq or kept[-1].seq
        # What was asked for lies before the next look, or before the end.
        until = kept[place].seq if place < len(kept) else end
        if isinstance(moment, int):
            until = min(until, moment)
        return self._read(found) if until - found.seq <= end // NEAR else None

    def inside(self, first_seq: int, last_seq: int) -> int | None:
        """The seq of a look in the middle of these, both included; None if there is none."""
        found = [one.seq for one in self._ours() if first_seq <= one.seq <= last_seq]
        middle = (first_seq + last_seq) / 2
        return min(found, key=lambda seq: abs(seq - middle), default=None)

    def seqs(self) -> list[int]:
        """The moments of all looks, in order."""
        return sorted({one.seq for one in self._ours()})

    def at(self, seq: int) -> Seen | None:
        """The look at a moment; where there are several, one at it as the past."""
        found = [one for one in self._ours() if one.seq == seq]
        return self._read(found[0]) if found else None

    def wanted(self, last_seq: int) -> int | None:
        """Which moment is worth a look next; None where every moment has one near before it."""
        return widest_gap(self.seqs(), last_seq)

    def keep(self, seen: Seen, *, now: bool, alone: bool = False) -> bool:
        """Keep a look, readable by its owner alone; say whether it is kept.

        now: whether it was the present. alone: whether former looks at the present may go, since a
        new one costs next to nothing.
        """
        made = seen.assessment.provenance
        if not self._same_criteria(seen) or (packed := pack(seen)) is None:
            return False
        try:
            us = (made.as_of - _EPOCH) // timedelta(microseconds=1)
            name = f"{self._key()}-{made.seq}-{us}-{'now' if now else 'then'}.bin"
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self.folder / name, packed)
            self._make_room(name, alone=alone)
        except OSError:
            # A disk that is full or read-only costs the next jump some seconds, nothing else.
            return False
        return True

    def judge_by(self, criteria: Criteria) -> None:
        """From now on these are the criteria."""
        self._criteria = criteria

    def _make_room(self, written: str, *, alone: bool) -> None:
        for torn in self.folder.glob(".*.bin.*"):
            # Whoever wrote it was killed meanwhile.
            if time.time() - torn.stat().st_mtime > _TORN_S:
                torn.unlink(missing_ok=True)
        kept = self._all()
        key = written.partition("-")[0]
        mine = [one for one in kept if one.key == key]
        others = sorted((one for one in kept if one.key != key), key=lambda one: one.seq)
        if alone:
            former = [one for one in mine if one.now and one.path.name != written]
            for one in former:
                one.path.unlink(missing_ok=True)
            mine = [one for one in mine if one not in former]
        present = max((one.seq for one in mine if one.now), default=0)
        while (
            len(mine) + len(others) > MOST_LOOKS
            or sum(one.bytes for one in (*mine, *others)) > MOST_BYTES_OF_ALL
        ):
            if others:
                # Judged by other rules, or of a journal that stood here before.
                others.pop().path.unlink(missing_ok=True)
                continue
            seq = least_missed([one.seq for one in mine], {present})
            if seq is None:
                return
            for one in [one for one in mine if one.seq == seq]:
                one.path.unlink(missing_ok=True)
                mine.remove(one)

    def _ours(self) -> list[_Kept]:
        """Those that may be shown, in order of time."""
        try:
            key = self._key()
        except OSError:
            return []
        return [one for one in self._all() if one.key == key]

    def _all(self) -> list[_Kept]:
        found = []
        try:
            entries = [*os.scandir(self.folder)]
        except OSError:
            return []
        for entry in entries:
            if not (match := _NAME.fullmatch(entry.name)):
                continue
            try:
                size = entry.stat(follow_symlinks=False).st_size
                at = _EPOCH + timedelta(microseconds=int(match[3]))
            except (OSError, OverflowError):
                continue
            found.append(
                _Kept(
                    path=Path(entry.path), key=match[1], seq=int(match[2]), at=at,
                    now=match[4] == "now", bytes=size,
                )
            )  # fmt: skip
        return sorted(found, key=lambda one: (one.seq, one.now))

    def _read(self, kept: _Kept) -> Seen | None:
        try:
            # Nobody else may have written what is unpacked here, or read what it tells.
            if kept.bytes > MOST_BYTES or not _owned(kept.path):
                return None
            seen = unpack(kept.path.read_bytes())
        except OSError:
            return None
        if seen is None or not self._same_criteria(seen):
            return None
        return seen if seen.assessment.provenance.seq == kept.seq else None

    def _key(self) -> str:
        """What a look must be of. Raises OSError where the journal cannot be read."""
        with self._journal.open("rb") as file:
            header = file.read(_FILE_HEADER)
        parts = (hashlib.sha256(header).hexdigest(), __version__, layout(), repr(self._judged_by()))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _judged_by(self) -> tuple[object, ...]:
        criteria = self._criteria
        return (
            criteria.rules.digest, criteria.gates.version, criteria.since, criteria.deadline_s,
            criteria.time_scale, criteria.phase or criteria.gates.decide or "",
        )  # fmt: skip

    def _same_criteria(self, seen: Seen) -> bool:
        made = seen.assessment.provenance
        return self._judged_by() == (
            made.rules_version, made.gates_version, made.since, made.deadline_s, made.time_scale,
            made.phase,
        )  # fmt: skip


def _owned(path: Path) -> bool:
    found = path.stat(follow_symlinks=False)
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return mine and stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
