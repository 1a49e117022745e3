"""What the words of ``shadow replay`` select: moments, and what the comparison singles out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import Moment, opened, resolved
from harness.errors import SettingsError

if TYPE_CHECKING:
    import polars as pl

    from harness.journal.store import Journal


def listed(text: str | None) -> tuple[str, ...]:
    """The parts of a text that are separated by commas."""
    return tuple(filter(None, map(str.strip, (text or "").split(","))))


def time_of(journal: Journal, moment: Moment | None) -> datetime | None:
    """A moment as a time: a seq is when that event was recorded."""
    at = resolved(journal, moment)
    if isinstance(at, int):
        with journal.reader(at) as reader:
            at = reader.as_of_time
    return at.astimezone(UTC) if at is not None else None


def pairs_of(
    config: Path | None,
    journal: Path | None,
    *,
    differing: bool,
    cluster: str | None,
    named: Sequence[str] = (),
) -> tuple[tuple[str, str], ...] | None:
    """Job and directory of what differs in production and, if given, is in a cluster.

    named: pairs as ``JOB/DIRECTORY``, which stand alone.
    None if nothing is asked. Raises SettingsError if there is nothing of it.
    """
    if named:
        if differing or cluster is not None:
            raise SettingsError("--pair stands alone. Leave --differing and --cluster out.")
        return tuple(sorted({_pair(text) for text in named}))
    if not differing and cluster is None:
        return None
    from harness.assess.comparing import compare_journal

    with opened(config, journal, None) as (reader, criteria, now):
        comparison = compare_journal(reader, criteria, now=now).comparison
    kept: set[tuple[str, str]] | None = None
    if differing:
        kept = _keys(_differing(comparison.narrow))
        if not kept:
            raise SettingsError(
                "--differing: no pair differs in production. Leave it out to replay all of them."
            )
    if cluster is not None:
        from harness.compare.clusters import find_clusters

        found = find_clusters(comparison)
        known = [one.id for one in found.clusters]
        if cluster not in known:
            raise SettingsError(
                f"--cluster {cluster}: there is no such cluster. Known: "
                f"{', '.join(known) or 'none'}; shadow report lists them."
            )
        members = _keys(found.members.filter(found.members["cluster"] == cluster))
        kept = members if kept is None else kept & members
        if not kept:
            raise SettingsError(
                f"--cluster {cluster}: none of its pairs differs in production. "
                "Leave --differing out."
            )
    return tuple(sorted(kept or ()))


def _pair(text: str) -> tuple[str, str]:
    job, _, directory = text.partition("/")
    if not job or not directory:
        raise SettingsError(f"--pair {text}: is no JOB/DIRECTORY. shadow diff lists both.")
    return job, directory


def _differing(pairs: pl.DataFrame) -> pl.DataFrame:
    from harness.model import LIVE, Verdict

    words = [Verdict.MISMATCH, Verdict.MISSING_CANDIDATE, Verdict.MISSING_CONTROL]
    return pairs.filter((pairs["mode"] == LIVE) & pairs["verdict"].is_in([str(w) for w in words]))


def _keys(rows: pl.DataFrame) -> set[tuple[str, str]]:
    return set(rows.select("job_id", "directory").iter_rows())
