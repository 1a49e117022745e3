"""Joins both sides of each submission into pairs. Pure: frames in, frame out, set-based.

A pair is keyed by (mode, job, directory host). The control's outcome is always that of
production; the candidate's is production's in mode ``live`` and the worker's claim in a replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import chain

import polars as pl

from harness.compare.kinds import VALUE_FIELDS
from harness.compare.pair_rows import TERMINAL, PairKeys, pair_rows
from harness.compare.parallel import side_by_side
from harness.compare.scope import with_versions
from harness.compare.sent import Columns, Places, SentValues
from harness.compare.silence import BlindPeriod, silent_for_s
from harness.model import LIVE

FLAKY = "flaky"
"""A replay's word for a submission that ended otherwise when it was done again."""

MAX_ATTEMPTS = 4
"""The candidate's task tries a directory at most this often (3 retries)."""

STATE = pl.Enum(["settled", "missing_candidate", "missing_control", "in_flight", "excluded"])
_SIDES = ("control", "candidate")
_SIDE_COLUMNS = (
    "outcome", "raw_status", "error_class", "error_text", "attempts", "started_at", "finished_at",
    "duration_ms", "url", "listing_url", "from_seq",
)  # fmt: skip


def pair_submissions(
    submissions: pl.DataFrame,
    jobs: pl.DataFrame,
    *,
    as_of: datetime,
    deadline_s: float,
    time_scale: float,
    blind: Sequence[BlindPeriod] = (),
    deployments: Sequence[tuple[datetime, str]] = (),
) -> tuple[pl.DataFrame, SentValues]:
    """Return one row per (mode, job_id, directory) with both sides and a `state`; what they sent.

    Arguments as for `join_sides` and `with_state`.
    """
    pairs, sent = join_sides(submissions, jobs)
    judged = with_state(
        pairs, as_of=as_of, deadline_s=deadline_s, time_scale=time_scale, blind=blind,
        deployments=deployments,
    )  # fmt: skip
    return judged, sent


def join_sides(
    submissions: pl.DataFrame,
    jobs: pl.DataFrame,
    *,
    documents: Columns | None = None,
    use_up: bool = False,
) -> tuple[pl.DataFrame, SentValues]:
    """Return one row per (mode, job_id, directory) with both sides; what they sent.

    submissions, jobs: the frames of ``sql/views/select_submissions.sql``. documents: sent_… of each
    document, where `submissions` have its number in `sent` instead. use_up: take the columns out of
    `submissions` as they are joined, so that what was read and what is made of it need not be held
    at once.
    A control row without an address has the directory ``""``.
    The pairs are in the order of mode, creation of the job, job and directory.
    """
    keys = PairKeys.of(submissions, jobs)
    rows = pair_rows(submissions, keys)
    sides = (*_SIDES, "observed")
    sent = _sent(submissions, documents, [rows[side] for side in sides])
    places = {side: Places.of(rows[side]) for side in sides}
    observed = places["observed"].gather(submissions["outcome"]).alias("observed_outcome")

    def of_column(name: str) -> list[pl.Series]:
        column = submissions.drop_in_place(name)
        return [places[side].gather(column).alias(f"{side}_{name}") for side in _SIDES]

    def of_all_columns() -> list[pl.Series]:
        columns = submissions.select(_SIDE_COLUMNS)
        found = {side: columns[rows[side]] for side in _SIDES}
        return [
            found[side][name].alias(f"{side}_{name}") for name in _SIDE_COLUMNS for side in _SIDES
        ]

    texts, of_job, *joined = side_by_side(
        lambda make: make(),
        [
            partial(keys.texts, rows),
            partial(keys.of_job, jobs, rows),
            *([partial(of_column, name) for name in _SIDE_COLUMNS] if use_up else [of_all_columns]),
        ],
        rows=rows.height,
    )
    counted = [rows[name] for name in ("mode", "control_rows", "control_differs")]
    return pl.DataFrame([*texts, *counted, *chain(*joined), observed, *of_job]), sent


def _sent(
    submissions: pl.DataFrame, documents: Columns | None, rows: Sequence[pl.Series]
) -> SentValues:
    if documents is not None:
        sent = submissions["sent"]
        return SentValues(documents, [Places.of(of_side).gather(sent) for of_side in rows])
    return SentValues(submissions.select(f"sent_{name}" for name in VALUE_FIELDS), rows)


def with_state(
    pairs: pl.DataFrame,
    *,
    as_of: datetime,
    deadline_s: float,
    time_scale: float,
    blind: Sequence[BlindPeriod] = (),
    deployments: Sequence[tuple[datetime, str]] = (),
) -> pl.DataFrame:
    """Add to joined sides what can be said of them as of a moment.

    deadline_s: seconds of scaled time after which a silent side counts as missing.
    blind: when the candidate's history could not be observed; its silence then proves nothing.
    state: ``settled`` (both terminal), ``missing_candidate``, ``missing_control``, ``in_flight``,
    or ``excluded`` where several control rows of one host contradict each other, or where a replay
    found its own outcome flaky: of such a pair no difference can be told from chance.
    candidate_pending: whether the candidate may still speak, whatever the control has said.
    candidate_version: the one that was deployed when the job was created, as `deployments` say.
    """
    last_sign = pl.max_horizontal(
        "created_at", "claimed_at", "triggered_at", "flow_started_at", "candidate_started_at",
        "candidate_finished_at",
    )  # fmt: skip
    silent_s = silent_for_s(last_sign, until=as_of, time_scale=time_scale, blind=blind)
    overdue = silent_s > deadline_s
    control_silent_s = silent_for_s(
        pl.col("control_started_at"), until=as_of, time_scale=time_scale
    )
    # An 'error' may still be retried: it is final once the attempts are used up, the job has
    # ended, or nothing more came before the deadline.
    retrying = (
        (pl.col("mode") == LIVE)
        & (pl.col("candidate_raw_status") == "error")
        & (pl.col("candidate_attempts") < MAX_ATTEMPTS)
        & pl.col("job_finished_at").is_null()
        & ~overdue
    )
    candidate_done = (pl.col("candidate_outcome").is_in(TERMINAL) & ~retrying).fill_null(False)
    control_done = pl.col("control_outcome").is_in(TERMINAL).fill_null(False)
    # A control that has not begun waits in its backlog; only one that began can be overdue. One
    # that said a word that no mapping knows was not silent.
    control_overdue = (
        ((control_silent_s > deadline_s) & (pl.col("control_outcome") != "unknown"))
        | (pl.col("control_outcome").is_null() & overdue)
    ).fill_null(False)
    state = (
        pl.when(pl.col("control_differs").fill_null(False) | is_flaky())
        .then(pl.lit("excluded"))
        .when(control_done & candidate_done)
        .then(pl.lit("settled"))
        .when(control_done & overdue)
        .then(pl.lit("missing_candidate"))
        .when(candidate_done & control_overdue)
        .then(pl.lit("missing_control"))
        .otherwise(pl.lit("in_flight"))
    )
    pairs = with_versions(pairs, deployments)
    # Lazy, so that what several conditions ask for is found once; apart from the other columns,
    # which would be left in pieces.
    told = pairs.lazy().select(
        candidate_pending=~candidate_done & ~overdue.fill_null(False), state=state.cast(STATE)
    )
    return pairs.hstack(told.collect().rechunk())


def is_flaky() -> pl.Expr:
    """Whether a pair's replay ended otherwise when it was done again; never NULL."""
    word = pl.col("candidate_raw_status") == FLAKY
    return (word & (pl.col("mode") != LIVE)).fill_null(False)
