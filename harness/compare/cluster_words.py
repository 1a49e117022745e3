"""What a cluster of differences is called: its description in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

TITLES = {
    "candidate_failed": "Control submitted, candidate failed",
    "control_failed": "Candidate submitted, control failed",
    "captcha": "Control submitted, candidate met a captcha",
    "timeout": "Control submitted, candidate timed out",
    "missing_candidate": "Control finished, candidate stayed silent",
    "missing_control": "Candidate finished, control stayed silent",
    "wrong_value": "Candidate sent another {field}",
    "error_class": "Both failed, for different reasons",
    "other_word": "Same outcome in words that no rule brings together",
    "slow": "Candidate slower than the ceiling",
}
STAGES = {
    "not_claimed": "the job was never claimed from the queue",
    "not_triggered": "the job was claimed, its flow was never triggered",
    "not_started": "the flow was triggered and never started",
    "not_begun": "the flow ran and never began this directory",
    "not_ended": "the directory was begun and never ended",
}
"""How far a candidate got that stayed silent."""


def title(
    terms: Mapping[str, str], shared: Mapping[str, str], *, size: int, of_job: int | None
) -> str:
    """One line: what happened, then where.

    terms: the description. shared: what else all differences of the cluster have in common.
    of_job: where they are all of one job, its compared cells of the same field.
    """
    kind = terms["kind"]
    words = TITLES[kind].format(field=terms["field"].removeprefix("values."))
    if stage := terms.get("stage"):
        words += f": {STAGES[stage]}"
    if error := terms.get("error"):
        words += f" ({error.replace('_', ' ')})"
    if said := terms.get("words"):
        words += f" ({said})"
    every = {**shared, **terms}
    where = [_PLACES[name].format(every[name]) for name in _PLACES if name in every]
    if job := every.get("job"):
        whole = f": every directory ({size})" if of_job == size and size > 1 else ""
        where.append(f"job {job[:8]}{whole}")
    return "; ".join([words, ", ".join(where)]) if where else words


_PLACES = {
    "step": "at the step {}",
    "directory": "at {}",
    "archetype": "at sites of kind {}",
    "package": "in packages of {}",
    "priority": "in jobs of priority {}",
    "rules": "where {} applied",
    "hour": "in jobs created {} UTC",
}
