"""How long to wait before another attempt. Pure; chance and clock are passed in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_S = 1.0
LONGEST_S = 30.0


def pauses(attempts: int, rng: random.Random) -> Iterator[float]:
    """Seconds before the second, third, … of `attempts`.

    Each is twice the one before up to LONGEST_S, of which chance takes up to half, so that many
    who failed together do not come back together.
    """
    longest_s = FIRST_S
    for _ in range(attempts - 1):
        yield longest_s * rng.uniform(0.5, 1.0)
        longest_s = min(2.0 * longest_s, LONGEST_S)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, by number or HTTP date (RFC 9110, 10.2.3).

    None where there is no header or nothing that could be one.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text), _MOST_S))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), _MOST_S)


_MOST_S = 86_400
"""More than a day is a mistake of the receiver's and would silence it."""
