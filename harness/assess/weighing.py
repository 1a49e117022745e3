"""What a rule is worth to a journal: one that is in force, or one that is only proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.assess.rules_file import with_proposed
from harness.assess.sequences import job_sequence
from harness.compare.comparison import Comparison, compare_again
from harness.compare.rules import Rule, RuleSet, refuse_expired
from harness.compare.trial import Trial, try_rules
from harness.errors import SettingsError
from harness.journal.reader import Reader
from harness.stats.estimates import estimate_by_job


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What shows without some rules and not with them."""

    trial: Trial
    without: float | None
    """Live agreement by job without the rules, in [0, 1]; None before any job was compared."""
    with_them: float | None
    seq: int
    """As of which it was weighed."""


def checked(criteria: Criteria, proposed: tuple[Rule, ...]) -> RuleSet:
    """The rules with the proposed ones; SettingsError, before any journal is read, if one is wrong.

    A proposed rule takes the place of its namesake.
    """
    wanted = with_proposed(criteria.rules, proposed, origin=f"with {criteria.rules_origin}")
    alone = RuleSet(version=1, rule=proposed)
    refuse_expired(alone, on=datetime.now(UTC).date(), origin="the proposed rule")
    return wanted


def weigh_proposed(
    reader: Reader, criteria: Criteria, proposed: tuple[Rule, ...], *, now: datetime | None = None
) -> Weighed:
    """Try rules that are not in force. Raises SettingsError for a wrong or expired one."""
    wanted = checked(criteria, proposed)
    compared = compare_journal(reader, criteria, now=now)
    return _weighed(reader, criteria, compared.comparison, wanted, compared.jobs)


def weigh_rule(
    reader: Reader, criteria: Criteria, name: str, *, now: datetime | None = None
) -> Weighed:
    """Take a rule that is in force away and put it back. SettingsError if there is none such."""
    if all(rule.name != name for rule in criteria.rules.rule):
        raise SettingsError(f"{name}: {criteria.rules_origin} have no rule of that name.")
    compared = compare_journal(reader, criteria, now=now)
    without = compare_again(compared.comparison, criteria.rules.without(name))
    return _weighed(reader, criteria, without, criteria.rules, compared.jobs)


def _weighed(
    reader: Reader, criteria: Criteria, before: Comparison, wanted: RuleSet, jobs: pl.DataFrame
) -> Weighed:
    return Weighed(
        trial=try_rules(before, wanted),
        without=_agreement(before, jobs, criteria),
        with_them=_agreement(compare_again(before, wanted), jobs, criteria),
        seq=reader.as_of_seq,
    )


def _agreement(comparison: Comparison, jobs: pl.DataFrame, criteria: Criteria) -> float | None:
    """By the estimator of the headline, so that it equals the figure of the report."""
    sequence = job_sequence(comparison.narrow, jobs)
    return estimate_by_job(
        sequence.agreement_low,
        sequence.agreement_high,
        alpha_total=criteria.alpha_total,
        n_min=criteria.n_min,
    ).value
