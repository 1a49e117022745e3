"""Singles out jobs by what the comparison says of them: by outcome or by cluster."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.compare.clusters import cluster_differences
from harness.compare.comparison import differences
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
    pairs = comparison.pairs
    words = list(outcomes)
    if words:
        named = pl.any_horizontal(
            pl.col(column).is_in(words).fill_null(False)
            for column in ("verdict", "control_outcome", "candidate_outcome")
        )
        silent = pl.col("verdict").str.starts_with("missing").fill_null(False)
        pairs = pairs.filter(named | (silent if Outcome.MISSING in words else pl.lit(False)))
    jobs = frozenset(pairs["job_id"].to_list())
    wanted = set(clusters)
    if not wanted:
        return jobs
    found = differences(comparison)
    known = {cluster.id: cluster for cluster in cluster_differences(found)}
    if unknown := sorted(wanted - known.keys()):
        raise SettingsError(
            f"--cluster {unknown[0]}: there is no such cluster as of then. "
            f"Known: {', '.join(known) or 'none'}."
        )
    keys = {(known[id_].mode, known[id_].kind, known[id_].field) for id_ in wanted}
    return jobs & {d.job_id for d in found if (d.mode, d.kind, d.field) in keys}
