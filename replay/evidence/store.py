"""Where evidence lies: a folder beside the journal, one folder a submission, bounded in size.

It shows what was typed and seen, so it holds personal data: only its owner may read it, and no
trace or report carries it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

INDEX = "evidence.json"
"""Written last: a folder without it was never completed."""

_LONGEST = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Evidence of one submission of one run."""

    folder: Path
    facts: Mapping[str, Any]
    """What INDEX holds: run, job_id, directory, made_at, condition, claimed, observed and so on."""

    def file(self, name: str) -> Path | None:
        """A file of it, None if it could not be had."""
        path = self.folder / name
        return path if path.is_file() else None

    @property
    def files(self) -> tuple[Path, ...]:
        """All its files, by name."""
        return tuple(sorted(path for path in self.folder.iterdir() if path.is_file()))


class EvidenceStore:
    """The evidence beside one journal."""

    def __init__(self, journal: Path) -> None:
        self.root = journal.with_name(journal.name + ".evidence")

    def folder_of(self, run: str, job_id: str, directory: str) -> Path:
        """Where the evidence of a submission lies, or would."""
        return self.root / _name(run) / _name(job_id) / _name(directory)

    def make(self, run: str, job_id: str, directory: str) -> Path:
        """Return its folder, there and empty; for its owner only, like those above it."""
        folder = self.folder_of(run, job_id, directory)
        shutil.rmtree(folder, ignore_errors=True)
        for part in (self.root, folder.parent.parent, folder.parent, folder):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.chmod(0o700)
        return folder

    def complete(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Say what the files of a folder are about."""
        text = json.dumps(facts, ensure_ascii=False, indent=1, default=str)
        # A kill between the two leaves a folder without the index, never half of one.
        unfinished = folder / f".{INDEX}"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / INDEX)

    def clear_incomplete(self, run: str) -> None:
        """Remove what a kill left of this run, which must not be going on."""
        for folder in self.root.glob(f"{_name(run)}/*/*"):
            if not (folder / INDEX).is_file():
                self._drop(folder)

    def kept(self) -> Iterator[Kept]:
        """All complete evidence, oldest first."""
        found = [
            Kept(folder=index.parent, facts=json.loads(index.read_text(encoding="utf-8")))
            for index in self.root.glob(f"*/*/*/{INDEX}")
        ]
        yield from sorted(found, key=lambda kept: str(kept.facts["made_at"]))

    def bound(self, most_bytes: int) -> int:
        """Drop the oldest until all of it is at most so large; return how many were dropped."""
        kept = [(one, sum(path.stat().st_size for path in one.files)) for one in self.kept()]
        total, dropped = sum(size for _, size in kept), 0
        for one, size in kept:
            if total <= most_bytes:
                break
            self._drop(one.folder)
            total -= size
            dropped += 1
        return dropped

    def _drop(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        for above in (folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):
                above.rmdir()


def _name(text: str) -> str:
    """A name for a folder: one for each text, and never one that leads elsewhere."""
    name = quote(text, safe="")
    if not text.strip("."):
        name = name.replace(".", "%2E")
    if len(name) > _LONGEST:
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        name = f"{name[:_LONGEST]}~{digest}"
    return name or "_"
