"""Judges the gates that count or ask: losses, errors, completeness, attestations. Opens nothing.

The first confirmed case fails; a count that nobody took stays open.
"""

from __future__ import annotations

from harness.assessment import GateResult
from harness.gates.inputs import Attestation, GateInputs
from harness.gates.kinds import AllProcessed, AttestationGate, ZeroCount
from harness.gates.sampled import Counted, dead_letters, prefect_errors
from harness.gates.statistical import recording_lacks
from harness.gates.wording import confidence, counted, listed, percent_up, seconds, sentence
from harness.model import GateStatus
from harness.stats.zero_loss import loss_rate_bound

_NOT_LOOKED = ("nobody has looked for lost jobs", "a search for every kind of leak")
_MOST_NAMES = 5
_LEFT = {
    "old_status": "waiting for the old poller",
    "other_writer": "by a writer that is neither system",
    "queued": "in the queue",
    "dead_letter": "in the dead-letter queue",
}


def judge_zero_count(gate: ZeroCount, phase: str, inputs: GateInputs) -> GateResult:
    """Judge "nothing of this kind happened"."""
    match gate.measure:
        case "lost_jobs":
            return _judge_lost_jobs(gate, phase, inputs)
        case "dead_letters":
            seen = dead_letters(gate, inputs)
        case "prefect_errors":
            seen = prefect_errors(gate, inputs)
        case "replay_escapes":
            seen = _replay_escapes(inputs)
        case "critical_findings":
            seen = _critical_findings(inputs)
        case "leftovers":
            seen = _leftovers(inputs)
    count, found = seen.count, counted(seen.count or 0, seen.thing)
    if count:
        status = GateStatus.FAIL
        reason = f"{found} {seen.where}{seen.details}; none is allowed."
    elif seen.lacking or count is None:
        status, reason = GateStatus.OPEN, _why_open(list(seen.lacking))
    else:
        status, reason = GateStatus.PASS, f"No {seen.thing} {seen.where}."
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=None if count is None else float(count),
        value_text="no evidence" if count is None else found,
        threshold=0.0,
        threshold_text="none",
        interval=None,
        n=count or 0,
        unit=f"{seen.thing}s",
        evidence_text="no evidence" if count is None else f"{found} {seen.where}",
        reason=reason,
        missing=_mends(list(seen.lacking)) if status is GateStatus.OPEN else None,
        required=gate.required,
    )


def _replay_escapes(inputs: GateInputs) -> Counted:
    # A replay makes its own record; neither production's nor the samples' says anything about it.
    count = inputs.replay_escapes
    thing, where = "attempt", "to leave the sandbox"
    nothing = (f"no count of {thing}s {where} exists", "a replay in the sandbox")
    return Counted(
        thing=thing, where=where, count=count, lacking=(nothing,) if count is None else ()
    )


def _critical_findings(inputs: GateInputs) -> Counted:
    found = inputs.critical_findings
    lacking = _nothing_admitted(inputs) + recording_lacks(inputs)
    if found is None:
        lacking.insert(0, ("no detector has run", "a run of the detectors"))
    if inputs.unseen_by_findings:
        unseen = listed(list(inputs.unseen_by_findings))
        lacking.append((f"detectors could not see everything ({unseen})", f"a mend of {unseen}"))
    names = [
        name for name, _ in sorted((found or {}).items(), key=lambda item: (-item[1], item[0]))
    ]
    return Counted(
        thing="critical finding",
        where="in the record",
        count=None if found is None else len(found),
        details=f" ({listed(names[:_MOST_NAMES] + _and_more(names))})" if names else "",
        lacking=tuple(lacking),
    )


def _and_more(names: list[str]) -> list[str]:
    more = len(names) - _MOST_NAMES
    return [f"{more} more"] if more > 0 else []


def _leftovers(inputs: GateInputs) -> Counted:
    left = inputs.leftovers
    lacking = recording_lacks(inputs)
    if left is None:
        lacking.insert(0, ("nobody has looked for leftovers", "a search for leftovers"))
    kinds = [f"{count:,} {_LEFT.get(kind, kind)}" for kind, count in (left or {}).items() if count]
    return Counted(
        thing="leftover",
        where="of the old system",
        count=None if left is None else sum(left.values()),
        details=f" ({listed(kinds)})" if kinds else "",
        lacking=tuple(lacking),
    )


def _nothing_admitted(inputs: GateInputs) -> list[tuple[str, str]]:
    if inputs.admitted_jobs:
        return []
    return [("no job was admitted", "jobs that the new system should process")]


def judge_all_processed(gate: AllProcessed, phase: str, inputs: GateInputs) -> GateResult:
    """Judge "every admitted job came out": a census, so no interval."""
    admitted, lost = inputs.admitted_jobs, _lost(inputs)
    lacking = _census_lacks(inputs)
    if lost:
        status, missing = GateStatus.FAIL, None
        reason = sentence(f"{_leaks(inputs)}; every job must be processed")
    elif lacking:
        status, reason, missing = GateStatus.OPEN, _why_open(lacking), _mends(lacking)
    elif inputs.pending_jobs:
        status = GateStatus.UNDECIDED
        still = counted(inputs.pending_jobs, "job")
        reason = f"{still} of {admitted:,} still under way, within the deadline; none is lost."
        missing = sentence(f"the outcome of {still}")
    else:
        status, missing = GateStatus.PASS, None
        reason = f"All {counted(admitted, 'job')} came out with an outcome."
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=inputs.processed_jobs / admitted if admitted else None,
        value_text=f"{inputs.processed_jobs:,} of {admitted:,}" if admitted else "no evidence",
        threshold=1.0,
        threshold_text="all of them",
        interval=None,
        n=admitted,
        unit="jobs",
        evidence_text=_jobs_text(inputs),
        reason=reason,
        missing=missing,
        required=gate.required,
    )


def judge_attestation(gate: AttestationGate, phase: str, inputs: GateInputs) -> GateResult:
    """Judge "a named person says so": what no machine measures is never green by itself."""
    said = inputs.attestations.get(gate.name)
    if said is None:
        status, text = GateStatus.OPEN, "no evidence"
        reason = "No machine can measure this, and nobody has attested it."
    elif not said.valid:
        status, text = GateStatus.OPEN, "expired"
        reason = sentence(f"The attestation no longer counts: {said.text}")
    elif not said.holds:
        status, text = GateStatus.FAIL, "attested: no"
        reason = sentence(f"Attested to the contrary: {said.text}")
    elif gate.at_most_s is not None:
        status, text, reason = _drill(gate.at_most_s, said)
    else:
        status, text = GateStatus.PASS, "attested"
        reason = sentence(f"Attested: {said.text}")
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=None,
        value_text=text,
        threshold=None,
        threshold_text="attested by a named person"
        if gate.at_most_s is None
        else f"a drill of at most {seconds(gate.at_most_s)}",
        interval=None,
        n=0 if said is None else 1,
        unit="attestations",
        evidence_text="no attestation" if said is None else said.text,
        reason=reason,
        missing=_who_attests(gate) if status is GateStatus.OPEN else None,
        required=gate.required,
    )


def _drill(at_most_s: float, said: Attestation) -> tuple[GateStatus, str, str]:
    limit = seconds(at_most_s)
    if said.took_s is None:
        return (
            GateStatus.OPEN,
            "not measured",
            sentence(f"Attested without saying what it took; {limit} is the limit: {said.text}"),
        )
    took = seconds(said.took_s)
    if said.took_s > at_most_s:
        return GateStatus.FAIL, took, sentence(f"It took {took}, more than {limit}: {said.text}")
    return GateStatus.PASS, took, sentence(f"It took {took} of at most {limit}: {said.text}")


def _who_attests(gate: AttestationGate) -> str:
    took = "" if gate.at_most_s is None else " and says what the drill took"
    return f"A named person attests {gate.name}{took}."


def _judge_lost_jobs(gate: ZeroCount, phase: str, inputs: GateInputs) -> GateResult:
    lost = _lost(inputs)
    ended = inputs.processed_jobs
    lacking = _census_lacks(inputs)
    if inputs.admitted_jobs and ended < gate.n_min:
        more = counted(gate.n_min - ended, "more job")
        lacking.append(
            (
                f"{counted(ended, 'job')} of the {gate.n_min:,} that must have an outcome first",
                f"at least {more} with an outcome",
            )
        )
    bound = percent_up(loss_rate_bound(ended, alpha=gate.alpha))
    if lost:
        status, reason = GateStatus.FAIL, sentence(f"{_leaks(inputs)}; none is allowed")
    elif lacking:
        status, reason = GateStatus.OPEN, _why_open(lacking)
    else:
        status = GateStatus.PASS
        reason = (
            f"0 of {counted(ended, 'finished job')} were lost; if conditions stay as they are, "
            f"fewer than {bound} will be, at {confidence(gate.alpha)} confidence however often "
            "you look."
        )
    looked = bool(inputs.confirmed_losses)
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=float(lost) if looked else None,
        value_text=f"{lost:,} lost" if looked else "no evidence",
        threshold=0.0,
        threshold_text="none lost",
        interval=None,
        n=ended,
        unit="jobs",
        evidence_text=_jobs_text(inputs),
        reason=reason,
        missing=_mends(lacking) if status is GateStatus.OPEN else None,
        required=gate.required,
    )


def _census_lacks(inputs: GateInputs) -> list[tuple[str, str]]:
    lacking = _nothing_admitted(inputs)
    if not inputs.confirmed_losses:
        lacking.append(_NOT_LOOKED)
    lacking.extend(recording_lacks(inputs))
    # Neither out, nor pending, nor found lost: a hole in what we know is not "nothing lost".
    unknown = inputs.admitted_jobs - inputs.processed_jobs - inputs.pending_jobs
    if unknown > 0:
        lacking.append(
            (
                f"{counted(unknown, 'job')} past the deadline without an outcome or explanation",
                f"an explanation of {counted(unknown, 'job')}",
            )
        )
    return lacking


def _lost(inputs: GateInputs) -> int:
    return sum((inputs.confirmed_losses or {}).values())


def _leaks(inputs: GateInputs) -> str:
    kinds = [
        f"{count:,} {kind.replace('_', ' ')}"
        for kind, count in sorted((inputs.confirmed_losses or {}).items())
        if count
    ]
    return f"{counted(_lost(inputs), 'confirmed case')} of loss ({listed(kinds)})"


def _jobs_text(inputs: GateInputs) -> str:
    text = f"{inputs.processed_jobs:,} of {counted(inputs.admitted_jobs, 'job')} ended"
    return f"{text}, {inputs.pending_jobs:,} pending" if inputs.pending_jobs else text


def _why_open(lacking: list[tuple[str, str]]) -> str:
    return sentence(f"Not enough evidence to decide: {listed([why for why, _ in lacking])}")


def _mends(lacking: list[tuple[str, str]]) -> str:
    return sentence(listed([mend for _, mend in lacking]))
