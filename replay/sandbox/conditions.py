"""The world a site plays, as the record shows it. Pure: no browser, no server, no journal."""

from __future__ import annotations

import re
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
    NEVER_IDLE = "never_idle"
    """It answers at once and stores the listing, but its pages go on asking for ever."""
    LOGIN = "login"
    """It leads to a login where the form should be."""
    FORBIDDEN = "forbidden"
    """It answers 403 with a page that wants to check the browser."""
    NOT_FOUND = "not_found"
    """It answers 404 where the form should be."""
    DUPLICATE = "duplicate"
    """It does not store the listing, because it has it already."""
    VERIFICATION = "verification"
    """It stores nothing until a link in a mail is followed."""


KEEPS_WAITING = frozenset(
    {
        Condition.SLOW,
        Condition.NEVER_IDLE,
        Condition.LOGIN,
        Condition.FORBIDDEN,
        Condition.NOT_FOUND,
    }
)
"""Where a worker may wait as long as it ever does, for an answer, for rest or for a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one side's record says of a submission."""

    outcome: Outcome
    error_class: ErrorClass | None = None
    error_text: str | None = None
    """As the side worded it."""


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
        case ErrorClass.TIMEOUT:
            return Condition.SLOW
        case ErrorClass.NAVIGATION:
            return _condition_of_text(word.error_text) or Condition.SLOW
        case ErrorClass.REFUSED:
            fooled = candidate is not None and candidate.outcome is Outcome.SUBMITTED
            if fooled:
                return Condition.REFUSED_MISLEADING
            return _condition_of_text(word.error_text) or Condition.REFUSED
        case ErrorClass.UNKNOWN:
            return _condition_of_text(word.error_text)
        case _:
            return None


_SAID = {
    Condition.FORBIDDEN: r"\b403\b|\bforbidden\b",
    Condition.NOT_FOUND: r"\b404\b",
    Condition.DUPLICATE: r"\balready (?:listed|exists|registered)\b"
    r"|\bduplicate (?:listing|entry)\b",
    Condition.LOGIN: r"\b(?:log[ -]?in|sign[ -]?in|authentication) (?:is )?required\b"
    r"|\bredirected to (?:a )?log[ -]?in\b",
    Condition.VERIFICATION: r"\be-?mail verification\b|\bverify your e-?mail\b"
    r"|\bcheck your inbox\b",
}
# What is quoted of a page or a selector may contain any word.
_QUOTES = re.compile(r"locator|selector|waiting for|https?://", re.IGNORECASE)


def _condition_of_text(text: str | None) -> Condition | None:
    """What a text says in so many words; None if it says nothing, or more than one thing."""
    said = _QUOTES.split(text or "")[0]
    found = [
        condition for condition, pattern in _SAID.items() if re.search(pattern, said, re.IGNORECASE)
    ]
    return found[0] if len(found) == 1 else None
