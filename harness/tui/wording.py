"""Words, signs and state classes of the dashboard. Pure text; computes no statistic."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from harness.assessment import Cluster, Estimate
from harness.gates.shown import NO_EVIDENCE
from harness.gates.wording import confidence, percent_down
from harness.model import LIVE, Decision, GateStatus, Severity, Side

SEVERITY_WORDS = {
    Severity.CRITICAL: "✕ critical",
    Severity.WARNING: "▲ warning",
    Severity.INFO: "· info",
}
SIDE_WORDS = {
    Side.CONTROL.value: "Old (control)",
    Side.CANDIDATE.value: "New (candidate)",
    Side.OBSERVED.value: "Site (observed)",
    Side.OTHER.value: "Other writer",
}
STATE_CLASSES = ("-go", "-no-go", "-undecided", "-open", "-waived")
"""The classes that say what a decision or gate says; style gives them a colour."""

NOTHING = "–"
_STATUS_CLASS = {
    GateStatus.PASS: "-go",
    GateStatus.FAIL: "-no-go",
    GateStatus.UNDECIDED: "-undecided",
    GateStatus.OPEN: "-open",
    GateStatus.WAIVED: "-waived",
}
_DECISION_CLASS = {
    Decision.GO: "-go",
    Decision.NO_GO: "-no-go",
    Decision.UNDECIDED: "-undecided",
}


def state_class(state: GateStatus | Decision) -> str:
    """The style class of a gate's status or of a decision."""
    return _STATUS_CLASS[state] if isinstance(state, GateStatus) else _DECISION_CLASS[state]


def whose(cluster: Cluster) -> str:
    """What stands before the title of a cluster that is not production's: the run, and a colon."""
    return "" if cluster.mode == LIVE else f"{plain(cluster.mode)}: "


def plain(text: object) -> str:
    """Text on one line without control characters.

    Recorded texts come from strange pages: an escape sequence in one must not reach the terminal.
    """
    words = "".join(
        " " if char in "\t\r\n\v\f\x85\u2028\u2029" else char if char.isprintable() else "\ufffd"
        for char in str(text)
    )
    return " ".join(words.split())


def value_text(text: str | None) -> str:
    """A compared value, kept as it is: quoted where white space would not be seen."""
    if text is None:
        return NOTHING
    shown = "".join(
        char if char.isprintable() else {"\n": "↵", "\t": "→"}.get(char, "\ufffd") for char in text
    )
    return f"“{shown}”" if shown != " ".join(shown.split()) or not shown else shown


def day_and_time(value: datetime | None) -> str:
    """``23 Nov 2026 08:30:00 UTC``."""
    return value.astimezone(UTC).strftime("%d %b %Y %H:%M:%S UTC").lstrip("0") if value else "never"


def clock(value: datetime | None) -> str:
    """``23 Nov 08:30:00``: where the year is plain from what stands around it."""
    return value.astimezone(UTC).strftime("%d %b %H:%M:%S").lstrip("0") if value else NOTHING


def clock_ms(value: datetime) -> str:
    """``23 Nov 08:30:00.125``: where the order of near events matters."""
    return f"{clock(value)}.{value.microsecond // 1000:03}"


def duration(seconds: float | None) -> str:
    """At most seven characters: ``4.2 s``, ``3m 32s``, ``2h 05m``, ``3d 04h``."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02}h"


def at_least(estimate: Estimate) -> str:
    """What may be said of an estimate, however often anybody looks."""
    if estimate.value is None:
        return NO_EVIDENCE
    sure = confidence(estimate.headline.alpha_total / 2.0)
    low = percent_down(estimate.headline.low)
    return f"at least {low} ({sure}, any look)"


def age(then: datetime, now: datetime) -> str:
    """``4.2 s ago``; a clock that runs behind gives ``0.0 s ago``."""
    return f"{duration(max(0.0, (now - then).total_seconds()))} ago"


def kind_words(kind: str) -> str:
    """``missing_candidate`` as a person writes it."""
    return plain(kind).replace("_", " ")


def short_job(job_id: str) -> str:
    """The first eight characters: what people recognise a job by."""
    return plain(job_id)[:8]


def rehearsal(time_scale: float) -> str | None:
    """The warning that a rehearsal carries on every screen; None in production."""
    if time_scale == 1.0:
        return None
    return (
        f"▲ REHEARSAL at {time_scale:,.6g} times production's speed: says nothing about production."
    )
