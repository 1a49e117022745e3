"""What was seen in the sampled sources, and what their samples leave out. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gates.inputs import SAMPLES_APART_S, GateInputs, Sampling
from harness.gates.kinds import ZeroCount
from harness.gates.statistical import completeness_lacks
from harness.gates.wording import counted, listed, percent_down, threshold_percent

_PREFECT_WORDS = {
    "failed": "failed flow run",
    "crashed": "crashed flow run",
    "late": "late flow run",
    "no_deployment": "missing deployment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one measure counts, as far as anybody looked."""

    thing: str
    where: str
    count: int | None
    details: str = ""
    """The count by kind, where there are several."""
    lacking: tuple[tuple[str, str], ...] = ()
    """What evidence is missing, and what would supply it."""


def dead_letters(gate: ZeroCount, inputs: GateInputs) -> Counted:
    """Messages in the dead-letter queue."""
    lacking = _samples_lack(
        inputs.dlq_sampling,
        floor=gate.coverage_floor,
        never="the dead-letter queue was never sampled",
        mend="samples of the dead-letter queue (set SQS_DLQ_URL where the recorder runs)",
    )
    if inputs.dlq_depth is None and not lacking:
        lacking.append(("nobody has counted the dead letters", "their number"))
    return Counted(
        thing="message",
        where="in the dead-letter queue",
        count=inputs.dlq_depth,
        lacking=(*lacking, *completeness_lacks(inputs)),
    )


def prefect_errors(gate: ZeroCount, inputs: GateInputs) -> Counted:
    """Errors in Prefect, of every kind."""
    errors = inputs.prefect_errors
    lacking = _samples_lack(
        inputs.prefect_sampling,
        floor=gate.coverage_floor,
        never="Prefect was never asked",
        mend="samples of Prefect (set PREFECT_API_URL where the recorder runs)",
    )
    if errors is None and not lacking:
        lacking.append(("nobody has counted the errors in Prefect", "the flow runs of Prefect"))
    kinds = [
        counted(errors[kind], words)
        for kind, words in _PREFECT_WORDS.items()
        if errors and errors.get(kind)
    ]
    return Counted(
        thing="error",
        where="in Prefect",
        count=None if errors is None else sum(errors.values()),
        details=f" ({listed(kinds)})" if kinds else "",
        lacking=(*lacking, *completeness_lacks(inputs)),
    )


def _samples_lack(
    sampling: Sampling, *, floor: float, never: str, mend: str
) -> list[tuple[str, str]]:
    """What the samples of a source lack. One sample says nothing of the time around it.

    A gap in the record of production is no matter here: what a queue or Prefect holds was seen by
    asking these, whoever could read the database meanwhile.
    """
    if not sampling.samples:
        return [(never, mend)]
    lacking: list[tuple[str, str]] = []
    if sampling.behind_s > SAMPLES_APART_S:
        late = f"{sampling.behind_s / 60:,.0f} min"
        lacking.append((f"the newest sample is {late} older than the record", mend))
    if sampling.share < floor:
        lacking.append(
            (
                f"samples cover only {percent_down(sampling.share)} of the recorded time",
                f"samples over at least {threshold_percent(floor)} of it, no further apart than "
                f"{SAMPLES_APART_S / 60:g} min",
            )
        )
    if sampling.unseen:
        unseen = listed(list(sampling.unseen))
        lacking.append((f"{unseen} were not seen", "samples that include them"))
    return lacking
