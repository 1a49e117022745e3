"""What a differing cell is: its kind, its cause as far as it is recorded, the step that failed.

Pure expressions over rows of `Comparison.cells` joined with their pairs. They are built once, which
takes as long as they take over a few hundred rows.
"""

from __future__ import annotations

from functools import cache

import polars as pl

CAUSES = {
    "candidate_failed": "error",
    "control_failed": "error",
    "error_class": "error",
    "missing_candidate": "stage",
    "other_word": "words",
}
"""Kinds of which the record tells more than the kind says, and the name of what it tells."""
JOB_STAGES = ("not_claimed", "not_triggered", "not_started")
"""Stages at which a whole job is lost, never one directory of it."""

_FAILED = "failed"
# "Page.click: …", "page.goto: …", "Locator.fill: …": Playwright names the call that raised.
_STEP = r"(?i)\b(?:page|frame|locator|elementhandle)\.([a-z_]+)"
# A form's field by its name or id; whatever else a selector quotes may be of a person.
_TARGET = r"""\[(?:name|id)\s*=\s*["']?([A-Za-z][\w-]*)"""


@cache
def kind() -> pl.Expr:
    """The kind of each differing row, a closed word; see ``cluster_words.TITLES``."""
    candidate_failed = pl.col("candidate_outcome").eq_missing(_FAILED)
    failing = pl.col("candidate_error_class")
    return (
        pl.when(pl.col("field") == "latency_s")
        .then(pl.lit("slow"))
        .when(pl.col("field").str.starts_with("values."))
        .then(pl.lit("wrong_value"))
        .when(pl.col("field") == "error")
        .then(pl.lit("error_class"))
        .when(pl.col("candidate_raw").eq_missing("missing"))
        .then(pl.lit("missing_candidate"))
        .when(pl.col("control_raw").eq_missing("missing"))
        .then(pl.lit("missing_control"))
        .when(pl.col("control_outcome").eq_missing(_FAILED) == candidate_failed)
        .then(pl.lit("other_word"))
        .when(candidate_failed)
        .then(
            pl.when(failing.is_in(["captcha", "timeout"]).fill_null(False))
            .then(failing)
            .otherwise(pl.lit("candidate_failed"))
        )
        .otherwise(pl.lit("control_failed"))
    )


@cache
def cause() -> pl.Expr:
    """What the record tells beyond `kind`, a column of the same rows; NULL where it tells nothing.

    The error class of the side that failed (both, where both did), the stage at which the candidate
    fell silent, or the two words that no rule brings together.
    """
    both = pl.concat_str(
        [pl.col("control_error_class"), pl.col("candidate_error_class")], separator=" → "
    )
    words = pl.concat_str([pl.col("control_value"), pl.col("candidate_value")], separator=" → ")
    return (
        pl.when(pl.col("kind") == "candidate_failed")
        .then(pl.col("candidate_error_class"))
        .when(pl.col("kind") == "control_failed")
        .then(pl.col("control_error_class"))
        .when(pl.col("kind") == "error_class")
        .then(both)
        .when(pl.col("kind") == "missing_candidate")
        .then(_stage())
        .when(pl.col("kind") == "other_word")
        .then(words)
    )


@cache
def step() -> pl.Expr:
    """The call that raised at the side that failed, such as ``fill phone``; else NULL."""
    text = (
        pl.when(pl.col("kind") == "control_failed")
        .then(pl.col("control_error_text"))
        .when(pl.col("kind").is_in(["candidate_failed", "captcha", "timeout", "error_class"]))
        .then(pl.col("candidate_error_text"))
    )
    call = text.str.extract(_STEP).str.to_lowercase()
    target = text.str.extract(_TARGET)
    return pl.when(target.is_null()).then(call).otherwise(call + pl.lit(" ") + target)


@cache
def job_stage() -> pl.Expr:
    """How far the candidate got with a job, as far as the job's own events tell."""
    return (
        pl.when(pl.col("flow_started_at").is_not_null())
        .then(pl.lit("not_begun"))
        .when(pl.col("triggered_at").is_not_null())
        .then(pl.lit("not_started"))
        .when(pl.col("claimed_at").is_not_null())
        .then(pl.lit("not_triggered"))
        .otherwise(pl.lit("not_claimed"))
    )


def _stage() -> pl.Expr:
    return (
        pl.when(pl.col("candidate_attempts") > 0).then(pl.lit("not_ended")).otherwise(job_stage())
    )
