"""Judges the gates about time: a level that stays low, an old system that nobody uses. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from harness.assessment import GateResult
from harness.gates.inputs import GateInputs, Levels
from harness.gates.kinds import SteadyFor, UnusedFor
from harness.gates.statistical import completeness_lacks, recording_lacks
from harness.gates.wording import counted, listed, percent_down, sentence, threshold_percent
from harness.model import GateStatus

_WORDS = {
    "queue_depth": ("message", "waiting in the queue"),
    "dead_letter_depth": ("message", "in the dead-letter queue"),
    "stale_workers": ("worker", "silent with work in hand"),
    "stuck_jobs": ("job", "stuck in the new system"),
}
_MENDS = {
    "queue_depth": "samples of the queue (set SQS_QUEUE_URL where the recorder runs)",
    "dead_letter_depth": "samples of the dead-letter queue (set SQS_DLQ_URL where it runs)",
    "stale_workers": "samples of the workers (the recorder takes them; see shadow doctor)",
    "stuck_jobs": "a finished sweep of every source",
}


def judge_steady(gate: SteadyFor, phase: str, inputs: GateInputs) -> GateResult:
    """Judge "it stayed at or below the limit for so many hours, up to the end of the record".

    A level above the limit fails as long as it lasts, and begins the hours anew.
    """
    thing, where = _WORDS[gate.measure]
    levels = inputs.levels.get(gate.measure, Levels())
    end, scale = inputs.record_end, inputs.time_scale
    needed_s = gate.hours * 3600.0 / scale
    seen = [level for level in levels.seen if end is None or level.at <= end]
    last = seen[-1] if seen else None
    lacking = _lacks(gate, inputs, levels, needed_s)
    steady_s = _steady_s(gate, inputs, levels)
    hours = f"{steady_s * scale / 3600.0:,.1f} h"
    found = "no evidence" if last is None else counted(last.value, thing)
    highest = max((level.value for level in seen), default=0)
    missing: str | None = None
    if last is not None and last.value > gate.at_most:
        status = GateStatus.FAIL
        reason = f"{found} {where} at the end of the record; {_limit(gate)}."
    elif lacking:
        status = GateStatus.OPEN
        reason = sentence(f"Not enough evidence to decide: {listed([why for why, _ in lacking])}")
        missing = sentence(listed([mend for _, mend in lacking]))
    elif steady_s >= needed_s:
        status = GateStatus.PASS
        reason = f"Never more than {gate.at_most:,} for the last {gate.hours:g} h."
    else:
        left = f"{(needed_s - steady_s) * scale / 3600.0:,.1f} more hours"
        status = GateStatus.UNDECIDED
        reason = f"Steady for {hours} of the {gate.hours:g} h that are asked for."
        missing = f"{left} without more than {counted(gate.at_most, thing)} {where}."
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=None if last is None else float(last.value),
        value_text=found,
        threshold=float(gate.at_most),
        threshold_text=f"{_limit(gate)} for {gate.hours:g} h",
        interval=None,
        n=len(seen),
        unit="samples",
        evidence_text=(
            "no evidence" if last is None else f"steady for {hours}; at most {highest:,} seen"
        ),
        reason=reason,
        missing=missing,
        required=gate.required,
    )


def judge_unused(gate: UnusedFor, phase: str, inputs: GateInputs) -> GateResult:
    """Judge "nothing has used the old system for so many days"."""
    old, end, start = inputs.old_path, inputs.record_end, inputs.record_start
    lacking = recording_lacks(inputs)
    if old is None:
        lacking.insert(0, ("nobody has looked for its use", "a search for signs of the old system"))
    if end is None or start is None:
        idle_s = 0.0
    else:
        used = start if old is None or old.at is None else max(old.at, start)
        idle_s = max(0.0, (end - used).total_seconds()) * inputs.time_scale
    idle = f"{idle_s / 86400.0:,.1f} days"
    sign = f"last sign: {old.words}" if old and old.words else "no sign of use in the record"
    missing: str | None = None
    if lacking:
        status = GateStatus.OPEN
        reason = sentence(f"Not enough evidence to decide: {listed([why for why, _ in lacking])}")
        missing = sentence(listed([mend for _, mend in lacking]))
    elif idle_s >= gate.days * 86400.0:
        status, reason = GateStatus.PASS, f"Nothing has used it for {idle}; {sign}."
    else:
        status = GateStatus.UNDECIDED
        reason = f"Unused for {idle} of the {gate.days:g} that are asked for; {sign}."
        missing = f"{gate.days - idle_s / 86400.0:,.1f} more days without use."
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=None if lacking else idle_s / 86400.0,
        value_text="no evidence" if lacking else f"unused for {idle}",
        threshold=gate.days,
        threshold_text=f"{gate.days:g} days",
        interval=None,
        n=0 if lacking else 1,
        unit="records",
        evidence_text="no evidence" if lacking else sign,
        reason=reason,
        missing=missing,
        required=gate.required,
    )


def _limit(gate: SteadyFor) -> str:
    return "none is allowed" if gate.at_most == 0 else f"at most {gate.at_most:,}"


def _lacks(
    gate: SteadyFor, inputs: GateInputs, levels: Levels, needed_s: float
) -> list[tuple[str, str]]:
    thing, where = _WORDS[gate.measure]
    mend = _MENDS[gate.measure]
    lacking = completeness_lacks(inputs)
    if not levels.seen:
        return [(f"nobody has counted {thing}s {where}", mend), *lacking]
    end = inputs.record_end
    if end is None or levels.apart_s is None:
        return lacking
    window = _begin(inputs, end, needed_s)
    behind_s = (end - levels.seen[-1].at).total_seconds()
    if behind_s > levels.apart_s:
        lacking.append(
            (f"the newest sample is {behind_s / 60:,.0f} min older than the record", mend)
        )
        return lacking
    length_s = (end - window).total_seconds()
    seen_s = _seen_s(levels, levels.apart_s, window, end)
    if length_s > 0 and seen_s / length_s < gate.coverage_floor:
        lacking.append(
            (
                f"samples cover only {percent_down(seen_s / length_s)} of that time",
                f"samples over at least {threshold_percent(gate.coverage_floor)} of it, no further "
                f"apart than {levels.apart_s / 60:g} min",
            )
        )
    return lacking


def _begin(inputs: GateInputs, end: datetime, needed_s: float) -> datetime:
    """Where the hours begin that must be seen: not before the evidence itself."""
    begin = end - timedelta(seconds=needed_s)
    return begin if inputs.record_start is None else max(begin, inputs.record_start)


def _steady_s(gate: SteadyFor, inputs: GateInputs, levels: Levels) -> float:
    """Real seconds since the level was last above its limit, or since anybody looked."""
    end = inputs.record_end
    if end is None or not levels.seen:
        return 0.0
    since = levels.seen[0].at
    if levels.apart_s is None and inputs.record_start is not None:
        since = inputs.record_start
    for before, after in pairwise(levels.seen):
        if before.value > gate.at_most:
            # It was high until somebody saw that it no longer was.
            since = after.at
    if levels.seen[-1].value > gate.at_most:
        return 0.0
    if inputs.record_start is not None:
        since = max(since, inputs.record_start)
    return max(0.0, (end - since).total_seconds())


def _seen_s(levels: Levels, apart_s: float, window: datetime, end: datetime) -> float:
    times = [window, *(level.at for level in levels.seen if window < level.at <= end), end]
    return sum(
        gap for one, other in pairwise(times) if (gap := (other - one).total_seconds()) <= apart_s
    )
