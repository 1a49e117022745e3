"""The world a site plays, as the record shows it. Pure: no browser, no server, no journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.model import ErrorClass, Outcome

ENVIRONMENT_UNKNOWN = "environment unknown"
"""Why a submission is not replayed when the record does not tell what its site did."""
PLAN_UNPLAYABLE = "plan not understood"
"""Why a submission is not replayed when no site can be made that its plan would fit."""
PLAN_MISSING = "no plan recorded"
"""Why a submission is not replayed when there is no plan, and no business to make one from."""


class Condition(StrEnum):
    """How the site behaves towards one submission."""

    ACCEPTED = "accepted"
    """It stores the listing and says so."""
    REFUSED = "refused"
    """It does not store it, and no word on its page looks like success."""
    REFUSED_MISLEADING = "refused_misleading"
    """It does not store it, but its HTML contains words that look like success."""
    CAPTCHA = "captcha"
    """A captcha stands where the form should be."""
    SLOW = "slow"
    """It never answers in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one side's record says of a submission."""

    outcome: Outcome
    error_class: ErrorClass | None = None


def condition_of(control: Sequence[Word], candidate: Word | None) -> Condition | None:
    """The condition that the record shows; None where it does not tell.

    control: the control's words, one a row (rows may share a host); they must agree.
    candidate: the live candidate's word. It matters in one case only: where the control was
    refused and the candidate claimed "submitted", its judge saw words of success on a page that
    the control's judge rejected, so the refusing page carries such words.
    """
    shown = {_condition_of_word(word, candidate) for word in control}
    return shown.pop() if len(shown) == 1 else None


def _condition_of_word(word: Word, candidate: Word | None) -> Condition | None:
    if word.outcome is Outcome.SUBMITTED:
        return Condition.ACCEPTED
    if word.outcome is not Outcome.FAILED:
        return None
    match word.error_class:
        case ErrorClass.CAPTCHA:
            return Condition.CAPTCHA
        case ErrorClass.TIMEOUT | ErrorClass.NAVIGATION:
            return Condition.SLOW
        case ErrorClass.REFUSED:
            fooled = candidate is not None and candidate.outcome is Outcome.SUBMITTED
            return Condition.REFUSED_MISLEADING if fooled else Condition.REFUSED
        case _:
            return None
