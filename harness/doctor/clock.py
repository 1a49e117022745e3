"""Examines how far this machine's clock stands from the server's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from harness.doctor.check import Findings, Subject
from harness.doctor.connection import Reached
from harness.resources import sql_queries

TOLERATED_S = 1.0
"""Events of one job are seconds apart; a difference below that cannot turn their order."""
_ASKED = 5


def examine_clock(reached: Reached) -> Findings:
    """Compare the clocks, corrected by the way there and back. Raises SourceError."""
    found = Findings(Subject.CLOCK)
    query = sql_queries("postgres/doctor/session.sql")["select_clock"].encode()
    best: tuple[timedelta, timedelta] | None = None
    with reached.connection.snapshot() as snapshot:
        for _ in range(_ASKED):
            began = datetime.now(UTC)
            (row,) = snapshot.execute(query).fetchall()
            ended = datetime.now(UTC)
            trip = ended - began
            # The shortest trip leaves the least room for where in it the server looked.
            if best is None or trip < best[0]:
                best = (trip, row["at"] - (began + trip / 2))
    assert best is not None
    doubt_s, ahead_s = best[0].total_seconds() / 2, best[1].total_seconds()
    words = f"the server's clock is {_by(ahead_s)}, give or take {doubt_s * 1000:.0f} ms"
    if abs(ahead_s) - doubt_s > TOLERATED_S:
        found.look(
            "difference",
            f"{words}: lag and gaps will look longer or shorter than they are",
            "Set this machine's clock by the network, or have the server's set.",
            shell=["sudo timedatectl set-ntp true"],
        )
    else:
        found.ok("difference", words)
    return found


def _by(ahead_s: float) -> str:
    size = abs(ahead_s)
    amount = f"{size * 1000:.0f} ms" if size < 1 else f"{size:,.1f} s"
    return f"{amount} {'ahead' if ahead_s >= 0 else 'behind'}"
