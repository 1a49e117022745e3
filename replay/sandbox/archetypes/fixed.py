"""Archetypes of which one thing is known: what stands in the way, or what never ends."""

from __future__ import annotations

from replay.sandbox.archetypes.base import Archetype
from replay.sandbox.archetypes.plain import FIVE
from replay.sandbox.conditions import Condition


def _fixed(name: str, title: str, condition: Condition) -> Archetype:
    return Archetype(name=name, title=title, fields=FIVE, conditions=(condition,))


FIXED = (
    _fixed("login_wall", "The form's address leads to a login", Condition.LOGIN),
    _fixed("captcha_wall", "A captcha stands where the form should be", Condition.CAPTCHA),
    _fixed("forbidden", "403 with a page that checks the browser", Condition.FORBIDDEN),
    _fixed("not_found", "404 at the address that was guessed", Condition.NOT_FOUND),
    _fixed("never_answers", "The connection opens and nothing ever comes", Condition.SLOW),
    _fixed(
        "never_idle", "The page loads and goes on asking for ever, as chats do",
        Condition.NEVER_IDLE,
    ),
    _fixed(
        "email_verification", "Nothing is listed until a link in a mail is followed",
        Condition.VERIFICATION,
    ),
)  # fmt: skip
