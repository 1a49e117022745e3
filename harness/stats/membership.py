"""Who is in the shadow at a percentage: a hash of the job, never a throw of dice. No I/O.

A job keeps its place whatever happens to it, so that 10 % is a part of 50 % and anybody can say
afterwards who was in. A random draw at each delivery would let a job that is tried four times in
with 34 % at a percentage of 10: the hard jobs would be over-represented.
"""

from __future__ import annotations

import hashlib

from harness.stats.checks import StatsInputError

_SIZE = float(2**64)


def membership_value(job_id: str, *, salt: str) -> float:
    """Where a job stands in [0, 1): the first 8 bytes of SHA-256(salt:job_id) over 2^64."""
    digest = hashlib.sha256(f"{salt}:{job_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _SIZE


def in_shadow(job_id: str, *, salt: str, percent: float) -> bool:
    """Whether a job belongs to the shadow at `percent`; 0 selects none, 100 all.

    Raises StatsInputError unless 0 <= percent <= 100.
    """
    if not 0.0 <= percent <= 100.0:
        raise StatsInputError("percent", f"= {percent!r} is outside [0, 100]")
    # A value so near 1 that it rounds to it belongs to 100 % all the same.
    return percent >= 100.0 or membership_value(job_id, salt=salt) < percent / 100.0
