"""What people have said and what would change the decision, worded alike in every format.

Pure text without escapes: each format escapes for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from harness.assessment import (
    Agreement,
    Assessment,
    CalibrationTable,
    Counterfactual,
    GateResult,
    Mark,
    PhaseResult,
    StageResult,
    Statement,
    Waiver,
)
from harness.gates.shown import STATUS_WORDS, share
from harness.gates.wording import counted, listed
from harness.model import GateStatus
from harness.report.wording import duration, moment, number

_KINDS = 5
"""So many kinds of fault that hide are named; the JSON has all."""


def waiver(said: Waiver) -> str:
    """``Ana Ruiz takes the risk until 30 Nov 2026, 08:00:00 UTC: support reads the inbox``."""
    state = "takes the risk until" if said.valid else "took the risk; it expired on"
    return f"{said.by} {state} {moment(said.until)}: {said.reason}"


def judged(gate: GateResult) -> str:
    """What the evidence says of a waived gate; empty for every other."""
    if gate.status is not GateStatus.WAIVED:
        return ""
    if gate.judged is None:
        return "Waived: the evidence was not judged."
    return f"Waived, not passed: the evidence says {STATUS_WORDS[gate.judged].lower()}."


def gate_lines(gate: GateResult) -> Iterable[str]:
    """All that is said of a gate beside its figures: why, by stage, the mend, the owner.

    The reason of a waived gate is in the waiver's own words and says what the evidence says.
    """
    yield gate.reason
    yield from (stage(one) for one in gate.stages)
    if gate.missing:
        yield f"To settle it: {gate.missing}"
    if gate.when_red and gate.status is not GateStatus.PASS:
        yield f"When it fails: {gate.when_red}"
    if gate.owner and gate.status is not GateStatus.PASS:
        yield f"Owner: {gate.owner}"


def missing(assessment: Assessment) -> list[str]:
    """What this run did not look at, and what would settle each gate that decides."""
    return [
        *assessment.missing_parts,
        *(
            f"{gate.title}: {gate.missing}"
            for phase in assessment.phases
            if phase.decides
            for gate in phase.gates
            if gate.missing
        ),
    ]


def later(phase: PhaseResult) -> str:
    """A phase that takes no part in the decision, in a few words: ``shown only: 7 open``."""
    counts = Counter(gate.status for gate in phase.gates)
    shown = [f"{counts[status]} {word.lower()}" for status, word in STATUS_WORDS.items()
             if counts[status]]  # fmt: skip
    return f"shown only, takes no part in the decision: {', '.join(shown) or 'no gate'}"


def stage(one: StageResult) -> str:
    """``At 5 % of traffic (21 Nov … to now, 40 jobs): pass. …``."""
    until = moment(one.until) if one.until else "now"
    return (
        f"At {number(one.percent)} % of traffic ({moment(one.since)} to {until}, "
        f"{counted(one.n, 'job')}): {STATUS_WORDS[one.status].lower()}. {one.text}"
    )


def statement(said: Statement) -> str:
    """``no_customer_complaints: holds, by Ana Ruiz until …: inbox read``; that it expired first."""
    state = "holds" if said.holds else "does not hold"
    until = f"until {moment(said.until)}" if said.valid else f"expired on {moment(said.until)}"
    took = "" if said.took_s is None else f", took {duration(said.took_s)}"
    note = f": {said.note}" if said.note else ""
    return f"{said.name}: {state}{took}, by {said.by}, {until}{note}"


def mark(said: Mark) -> str:
    """``21 Nov 2026, 09:00:00 UTC: ramp 5 (Ana Ruiz): first step``."""
    unit = " % of traffic" if said.what == "ramp" else ""
    value = f" {said.value}{unit}" if said.value else ""
    note = f": {said.note}" if said.note else ""
    return f"{moment(said.at)}: {said.what}{value} ({said.by}){note}"


def counterfactual(
    what: Counterfactual, titles: Mapping[str, str], gates: Mapping[str, str]
) -> str:
    """``If cluster X were mended, the gate Y would go from fail to pass; …``.

    titles: cluster id → its words; gates: gate id → its title.
    """
    names = [f"“{titles[one]}” ({one})" if one in titles else one for one in what.clusters]
    if what.alone or len(names) < 2:
        start = f"If cluster {listed(names)} were mended"
    else:
        start = f"If the {len(names)} costliest clusters down to {names[-1]} were mended"
    if what.gates:
        moves = listed(
            [
                f"{gates.get(one.gate, one.gate)} would go from "
                f"{STATUS_WORDS[one.before].lower()} to {STATUS_WORDS[one.after].lower()}"
                for one in what.gates
            ]
        )
    else:
        moves = "no gate would change"
    agreement = "" if what.agreement is None else f", agreement {share(what.agreement)}"
    return f"{start}, {moves}; decision {what.decision.value}{agreement}."


def counterfactuals(assessment: Assessment, most: int) -> list[str]:
    """The first `most` of them in words, and how many there are besides."""
    titles = {cluster.id: cluster.title for cluster in assessment.clusters}
    gates = {gate.gate: gate.title for phase in assessment.phases for gate in phase.gates}
    lines = [counterfactual(one, titles, gates) for one in assessment.counterfactuals[:most]]
    return lines + more(len(assessment.counterfactuals), most)


def more(total: int, most: int) -> list[str]:
    """``and 3 more``, or nothing where all are shown."""
    return [f"and {total - most:,} more"] if total > most else []


def fresh(agreement: Agreement) -> str:
    """Agreement over the jobs that no rule was made after; empty where none is younger."""
    if agreement.fresh is None:
        return ""
    since = f", jobs since {moment(agreement.fresh_since)}" if agreement.fresh_since else ""
    why = f": {agreement.fresh_why}" if agreement.fresh_why else ""
    found = agreement.fresh
    return (
        f"On fresh jobs only {share(found.value)} ({counted(found.n, 'job')}{since}){why} "
        "The gates use this figure."
    )


def attempt(assessment: Assessment) -> str:
    """Which version of the candidate this is about; empty where no deployment was marked."""
    made = assessment.provenance
    if made.candidate_version is None and made.attempt == 1:
        return ""
    version = made.candidate_version or "unnamed"
    since = f", jobs since {moment(made.version_since)}" if made.version_since else ""
    again = (
        " Trying again until GO makes a false GO likelier: each attempt has its own chance of it."
        if made.attempt > 1
        else ""
    )
    return f"Attempt {made.attempt} of the candidate, version {version}{since}.{again}"


def calibration(table: CalibrationTable) -> list[str]:
    """The proof of the comparison's own sight, in a few lines."""
    if table.score is None:
        score = "nothing could be planted, so nothing is proved"
    else:
        # Never rounded up to a whole: 99.996 % is not 100 %.
        score = (
            f"{table.caught:,} of {table.planted:,} planted faults showed "
            f"({share(table.score)}; {share(table.at_least)} asked for)"
        )
    alarms = f"{table.false_alarms:,} false alarms in {table.innocent:,} innocent changes"
    lines = [f"{moment(table.at)}, seq {table.seq:,}: {score}; {alarms}."]
    if table.stale:
        lines.insert(0, f"It no longer speaks of the present: {table.stale}")
    hidden = sorted(table.hidden, key=lambda one: (-one.mutants, one.cause))
    lines += [
        f"{counted(one.mutants, 'planted fault')} stayed hidden: {one.cause}"
        + (f" ({listed(one.rules)})" if one.rules else "")
        for one in hidden[:_KINDS]
    ]
    unseen = sorted(one.kind for one in table.kinds if one.visible_rate is None)
    if unseen:
        names = [*unseen[:_KINDS], *more(len(unseen), _KINDS)]
        lines.append(f"At this much evidence no rate would surely show: {', '.join(names)}.")
    return lines
