"""Singles out jobs by what the comparison says of them: by outcome or by cluster."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.compare.clusters import find_clusters
from harness.errors import SettingsError
from harness.journal.reader import Reader
from harness.model import Outcome, Verdict

OUTCOMES = tuple(dict.fromkeys((*(v.value for v in Verdict), *(o.value for o in Outcome))))
"""Words that select: a verdict on a pair, or the outcome of either side."""


def jobs_of(
    reader: Reader,
    criteria: Criteria,
    *,
    outcomes: Iterable[str] = (),
    clusters: Iterable[str] = (),
) -> frozenset[str]:
    """Jobs with a pair of one of the outcomes and, if clusters are given, a difference in one.

    clusters: ids as in the report. Raises SettingsError for a cluster that does not exist.
    """
    comparison = compare_journal(reader, criteria).comparison
    pairs = comparison.narrow
    words = list(outcomes)
    if words:
        named = pl.any_horizontal(
            pl.col(column).is_in(words).fill_null(False)
            for column in ("verdict", "control_outcome", "candidate_outcome")
        )
        silent = pl.col("verdict").is_in([Verdict.MISSING_CANDIDATE, Verdict.MISSING_CONTROL])
        pairs = pairs.filter(named | (silent if Outcome.MISSING in words else pl.lit(False)))
    jobs = frozenset(pairs["job_id"].to_list())
    wanted = set(clusters)
    if not wanted:
        return jobs
    found = find_clusters(comparison)
    known = [cluster.id for cluster in found.clusters]
    if unknown := sorted(wanted.difference(known)):
        raise SettingsError(
            f"--cluster {unknown[0]}: there is no such cluster as of then. "
            f"Known: {', '.join(known) or 'none'}."
        )
    members = found.members.filter(pl.col("cluster").is_in(sorted(wanted)))
    return jobs & set(members["job_id"].to_list())
