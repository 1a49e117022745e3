"""How a verdict is shown: signs, words and the scale of drawn shares, the same in every front end.

Pure; knows no screen and no page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from harness.assessment import GateResult, PairCounts, PhaseResult
from harness.gates.wording import counted, percent
from harness.model import Decision, GateStatus

STATUS_WORDS = {
    GateStatus.PASS: "Pass",
    GateStatus.FAIL: "Fail",
    GateStatus.UNDECIDED: "Undecided",
    GateStatus.OPEN: "Open",
    GateStatus.WAIVED: "Waived",
}
STATUS_SIGNS = {
    GateStatus.PASS: "✓",
    GateStatus.FAIL: "✕",
    GateStatus.UNDECIDED: "~",
    GateStatus.OPEN: "○",
    GateStatus.WAIVED: "!",
}
"""Every state has a sign besides its colour, so that it is read without one."""
DECISION_SIGNS = {Decision.GO: "✓", Decision.NO_GO: "✕", Decision.UNDECIDED: "~"}
NO_EVIDENCE = "no evidence"


def decision_line(decision: Decision) -> str:
    """Sign and word."""
    return f"{DECISION_SIGNS[decision]} {decision.value}"


def status_line(status: GateStatus) -> str:
    """Sign and word."""
    return f"{STATUS_SIGNS[status]} {STATUS_WORDS[status]}"


def share(value: float | None) -> str:
    """``96.2 %``; ``no evidence`` where there is nothing to average."""
    return NO_EVIDENCE if value is None or not math.isfinite(value) else percent(value)


def points(cost: float) -> str:
    """What a cluster costs, in percentage points of agreement: ``1.67 points``."""
    return f"{100.0 * cost:.2f} points"


def tally(counts: PairCounts) -> str:
    """What became of every pair of a mode, as a sum: ``live: 9 pairs = 7 agree + 2 mismatch + …``.

    Each reason for leaving a pair out stands with its number.
    """
    parts = [f"{number:,} {verdict.value.replace('_', ' ')}" for verdict, number in counts.verdicts]
    line = f"{counts.mode}: {counted(counts.pairs, 'pair')} = {' + '.join(parts)}"
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in counts.excluded)
    return f"{line} ({reasons})" if reasons else line


def is_share(gate: GateResult) -> bool:
    """Whether the gate's interval and threshold are shares in [0, 1] and can be drawn."""
    if gate.interval is None or gate.threshold is None:
        return False
    return all(0.0 <= end <= 1.0 for end in (gate.interval.low, gate.interval.high, gate.threshold))


def share_scale(phases: Iterable[PhaseResult]) -> tuple[float, float]:
    """One scale for every drawn share, so that bars can be compared: (start, 1)."""
    lowest = min(
        (
            min(gate.interval.low, gate.threshold)
            for phase in phases
            for gate in phase.gates
            if is_share(gate) and gate.interval is not None and gate.threshold is not None
        ),
        default=0.0,
    )
    return max(0.0, math.floor(10.0 * lowest - 0.2) / 10.0), 1.0
