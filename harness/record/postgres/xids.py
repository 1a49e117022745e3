"""Arithmetic of transaction numbers. Pure: no driver, no clock.

PostgreSQL numbers transactions with 64 bits and stores the low 32 in each row version.
"""

from __future__ import annotations

CYCLE = 1 << 32
HALF_CYCLE = 1 << 31
FIRST_NORMAL_XID = 3
"""0, 1 and 2 are invalid, bootstrap and frozen; they stand outside the circle."""

CRASH_REUSE_XIDS = 65_536
"""How far a sweep goes back on a new connection.

A server that crashes forgets transaction numbers it had handed out but not yet flushed to its log
(aborted ones always, committed ones with ``synchronous_commit = off``), and hands them out again.
A snapshot seen before the crash can thus name an X above numbers that are still to be used, and a
row written under a reused number below X would never be swept. The log is flushed at least every
0.6 s (three times ``wal_writer_delay``), so this margin is good for 100,000 transactions a second.
"""


def full_xid(raw: int, *, next_xid: int) -> int:
    """Return the 64-bit number of a row version's `raw` 32-bit xmin.

    next_xid: 64-bit number that no visible row can have yet (xmax of the snapshot). The result is
    the newest number below it with these low bits. A version older than one whole cycle (4 billion
    transactions, frozen long ago) gets a younger number than its own, the same one for the next
    4 billion transactions; nothing in the row could tell its cycle.
    """
    if raw < FIRST_NORMAL_XID:
        return raw
    behind = (next_xid - 1 - raw) % CYCLE + 1
    xid = next_xid - behind
    return xid if xid >= FIRST_NORMAL_XID else raw


def sweep_age(since: int, *, xmin: int, xmin_age: int) -> int | None:
    """Return ``age(since)`` as PostgreSQL would say, or None if it cannot say it.

    since: 64-bit X of the last sweep; xmin: that of the current snapshot; xmin_age: ``age(xmin)``.
    ``age()`` is a 32-bit difference: beyond 2^31 a row written after X would look like one of the
    future and be passed over in silence. None then means: copy everything again. The same holds if
    X lies in the source's future (it was restored from a backup).
    """
    if since > xmin:
        return None
    age = xmin_age + (xmin - since)
    return age if age < HALF_CYCLE - CRASH_REUSE_XIDS else None
