"""A plan in sentences and rows, the same in every format. Text only; computes no chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.gates.wording import confidence, counted, listed, percent_up
from harness.plan.traffic import Schedule
from harness.plan.week import Chance, LossChance, LossPlan, MeanPlan, Uncounted, WeekPlan
from harness.stats.design_effect import design_effect

_WORTH_TELLING = 0.05
"""A gate that cannot pass is told in full only if it may fail with this chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One assumed truth of one gate: what is likely to have shown by the end of each day."""

    truth: str
    verdict: str
    """What would be right: ``passes``, ``fails`` or ``shows``."""
    chances: tuple[float, ...]
    wrong: float | None
    """Chance of the opposite verdict by the end; None where there is none."""
    jobs: str
    """Jobs to the verdict in half of all cases, or to a sure sight of a loss."""
    size: str
    """The closed form beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One gate in words."""

    gate: str
    title: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]
    jobs_by_day: tuple[int, ...] = ()
    jobs_word: str = ""
    """What `Row.jobs` is."""
    size_word: str = ""


def sections(plan: WeekPlan) -> tuple[Section, ...]:
    """Every gate of the plan that is a matter of numbers."""
    found: list[Section] = []
    told: list[LossPlan] = []
    for gate in plan.gates:
        if isinstance(gate, MeanPlan):
            found.append(_mean_section(gate, plan))
        elif isinstance(gate, LossPlan):
            same = next((one for one in told if one.alpha == gate.alpha), None)
            found.append(_loss_section(gate, plan, same))
            told.append(gate)
    return tuple(found)


def uncounted(plan: WeekPlan) -> tuple[str, ...]:
    """One line for each gate that no number of jobs settles."""
    return tuple(
        f"{gate.title} ({gate.gate}): not a matter of numbers. {gate.why}"
        for gate in plan.gates
        if isinstance(gate, Uncounted)
    )


def heading(plan: WeekPlan) -> str:
    """The traffic in one sentence."""
    return (
        f"{counted(plan.schedule.days, 'day')}, {_traffic(plan.schedule)}: "
        f"{counted(plan.jobs_by_day[-1], 'job')} in the shadow."
    )


def earliest_go(plan: WeekPlan) -> str:
    """When every required gate that counts jobs may have passed, if nothing at all goes wrong."""
    last = len(plan.schedule.stages) - 1
    waiting = [
        gate
        for gate in plan.gates
        if isinstance(gate, MeanPlan) and gate.required and gate.stage in (None, last)
    ]
    short = [gate for gate in waiting if gate.least_day is None]
    if short:
        needs = [
            f"{gate.title} needs {gate.least_jobs:,} jobs and has {gate.jobs_by_day[-1]:,}"
            f"{_at_stage(gate, plan)}"
            for gate in short
        ]
        return f"No GO is possible within these days: {listed(needs)}."
    if not waiting:
        return "No required gate counts jobs."
    day = max(gate.least_day or 0 for gate in waiting)
    return f"A GO is possible on {plan.days[day]} at the earliest, if not one job goes wrong."


def assumed(plan: WeekPlan) -> str:
    """What was taken for granted, in one sentence."""
    model = plan.assumptions.model
    sizes, shares = zip(*model.sizes, strict=True)
    mean = sum(size * share for size, share in model.sizes)
    if mean == 1.0:
        submissions = "a job agrees or succeeds as a whole, which is the slowest case"
    else:
        effect = design_effect(sizes, rho=model.rho, shares=shares)
        submissions = (
            f"{mean:,.3g} submissions a job with a correlation of {model.rho:.3g}, so that "
            f"{mean:,.3g} submissions are worth {mean / effect:,.3g}"
        )
    return (
        f"Assumed: {submissions}; jobs spread evenly over a day; every job has its outcome on the "
        f"day it came. {plan.assumptions.runs:,} simulated weeks, seed {plan.assumptions.seed}, "
        f"gates {plan.gates_version}. Sure means a chance of {chance(plan.assumptions.sure)}."
    )


def chance(value: float) -> str:
    """``93 %``; never 0 or 100 where it is not."""
    if 0.0 < value < 0.01:
        return "<1 %"
    if 0.99 < value < 1.0:
        return ">99 %"
    return f"{100.0 * value:.0f} %"


def rate(value: float) -> str:
    """A share with the digits it was given: ``99 %``, ``0.2 %``."""
    return f"{100.0 * value:.6g} %"


def _traffic(schedule: Schedule) -> str:
    jobs = sorted(set(schedule.jobs_per_day))
    daily = f"{jobs[0]:g}" if len(jobs) == 1 else f"{jobs[0]:g} to {jobs[-1]:g}"
    stages = [
        f"{stage.percent:g} % for {_hours(stage.to_h - stage.from_h)}" for stage in schedule.stages
    ]
    return f"{daily} jobs a day, {listed(stages)}"


def _hours(hours: float) -> str:
    return f"{hours / 24:g} d" if hours >= 48 and hours % 24 == 0 else f"{hours:.4g} h"


def _mean_section(gate: MeanPlan, plan: WeekPlan) -> Section:
    worth = gate.least_day is not None or any(_may_fail(one) for one in gate.chances)
    return Section(
        gate=gate.gate,
        title=f"{gate.title}{_at_stage(gate, plan)} ({gate.gate}): {gate.says}",
        lines=tuple(_mean_lines(gate, plan)),
        rows=tuple(_mean_row(gate, one) for one in gate.chances) if worth else (),
        jobs_by_day=gate.jobs_by_day,
        jobs_word="jobs in half of all cases",
        size_word="log(1/alpha)/KL",
    )


def _mean_lines(gate: MeanPlan, plan: WeekPlan) -> Iterator[str]:
    have = gate.jobs_by_day[-1]
    if gate.stage is not None and len(plan.schedule.stages) > 1:
        yield (
            "Latency depends on load, so it starts anew at every stage; this stage has "
            f"{counted(have, 'job')}."
        )
    if gate.least_day is None:
        yield (
            f"Cannot pass: even without one failure it needs {gate.least_jobs:,} jobs, and there "
            f"are {have:,}."
        )
    else:
        yield (
            f"Cannot pass before job {gate.least_jobs:,}, even without one failure: "
            f"{plan.days[gate.least_day]}."
        )
    for one in gate.chances:
        if gate.least_day is not None or _may_fail(one):
            yield _mean_line(gate, one, plan)


def _mean_line(gate: MeanPlan, one: Chance, plan: WeekPlan) -> str:
    text = f"If truly {rate(one.truth)}: "
    passes, fails = one.passed[-1], one.failed[-1]
    right, day, verb = (
        (passes, one.pass_day, "passes")
        if one.truth > gate.threshold
        else (fails, one.fail_day, "fails")
    )
    if one.truth == gate.threshold:
        return (
            f"{text}that is the threshold, so it is never decided for long: passes with "
            f"{chance(passes)}, fails with {chance(fails)}."
        )
    if day is not None:
        chances = one.passed if verb == "passes" else one.failed
        return f"{text}{verb} by {plan.days[day]} with {chance(chances[day])}."
    return (
        f"{text}{verb} within these days with {chance(right)} only; undecided with "
        f"{chance(max(0.0, 1.0 - passes - fails))}."
    )


def _may_fail(one: Chance) -> bool:
    return one.failed[-1] >= _WORTH_TELLING


def _at_stage(gate: MeanPlan, plan: WeekPlan) -> str:
    if gate.stage is None or len(plan.schedule.stages) == 1:
        return ""
    return f" at {plan.schedule.stages[gate.stage].percent:g} %"


def _mean_row(gate: MeanPlan, one: Chance) -> Row:
    above = one.truth > gate.threshold
    return Row(
        truth=rate(one.truth),
        verdict="passes" if above else "fails",
        chances=one.passed if above else one.failed,
        wrong=one.failed[-1] if above else one.passed[-1],
        jobs="–" if one.median_jobs is None else f"{one.median_jobs:,}",
        size="–" if one.size == float("inf") else f"{one.size:,.0f}",
    )


def _loss_section(gate: LossPlan, plan: WeekPlan, same: LossPlan | None) -> Section:
    """same: a gate before it that counts the same jobs in the same way."""
    opening = [f"The chances are those of {same.title}."] if same else _loss_lines(gate, plan)
    return Section(
        gate=gate.gate,
        title=f"{gate.title} ({gate.gate}): no job is lost",
        lines=(*opening, *_loss_floor(gate, plan)),
        rows=() if same else tuple(_loss_row(one) for one in gate.chances),
        jobs_by_day=gate.jobs_by_day,
        jobs_word="jobs to be sure to see one",
        size_word="clean jobs to exclude it",
    )


def _loss_lines(gate: LossPlan, plan: WeekPlan) -> Iterator[str]:
    for one in gate.chances:
        yield _loss_line(one, plan)
    jobs = gate.jobs_by_day[-1]
    yield (
        f"{counted(jobs, 'job')} without a loss exclude a loss rate of "
        f"{percent_up(gate.excluded[-1])} or more, at {confidence(gate.alpha)} confidence however "
        f"often you look ({percent_up(gate.excluded_once[-1])} if you had looked once). They do "
        "not show that nothing is ever lost."
    )


def _loss_floor(gate: LossPlan, plan: WeekPlan) -> Iterator[str]:
    if gate.n_min > 1:
        day = plan.schedule.day_of(gate.n_min)
        when = "not within these days" if day is None else plan.days[day]
        yield f"It stays open before {gate.n_min:,} jobs have an outcome: {when}."


def _loss_line(one: LossChance, plan: WeekPlan) -> str:
    lost = f"If {rate(one.rate)} of jobs are lost: "
    if one.day is not None:
        return f"{lost}it shows by {plan.days[one.day]} with {chance(one.seen[one.day])}."
    verdict = "it will hardly show" if one.seen[-1] < 0.5 else "it may not show"
    return f"{lost}{verdict}: {chance(one.seen[-1])} within these days."


def _loss_row(one: LossChance) -> Row:
    return Row(
        truth=f"{rate(one.rate)} lost",
        verdict="shows",
        chances=one.seen,
        wrong=None,
        jobs=f"{one.jobs_for_sure:,}",
        size=f"{one.jobs_to_exclude:,}",
    )


LEGEND = (
    "A day's column is the chance that the verdict beside the truth is there by its end; wrong is "
    "the chance of the opposite one by the last.",
    "half by job: jobs to the right verdict in half of all weeks. size: log(1/alpha)/KL, which no "
    "method beats on average where a job fares as a whole.",
    "sure by job: so many jobs show a loss with the chance that counts as sure. excluded by job: "
    "so many without a loss exclude it.",
)


def described(plan: WeekPlan) -> str:
    """The whole plan as prose, for those who do not see the chart."""
    parts = [heading(plan), earliest_go(plan)]
    for section in sections(plan):
        parts.append(section.title + ".")
        parts.extend(section.lines)
    return " ".join((*parts, *uncounted(plan)))


def as_text(plan: WeekPlan) -> str:
    """The plan for a terminal: sentences, then the chances by day; ends with a line break."""
    lines = [heading(plan), earliest_go(plan), assumed(plan), ""]
    lines += table(
        ("", *plan.days), [("jobs in the shadow", *(f"{n:,}" for n in plan.jobs_by_day))]
    )
    for section in sections(plan):
        lines += ["", section.title, *(f"  {line}" for line in section.lines)]
        if section.rows:
            lines += ["", *(f"  {line}" for line in _section_table(section, plan))]
    if rest := uncounted(plan):
        lines += ["", *rest]
    lines += ["", *LEGEND]
    return "\n".join(lines) + "\n"


def _section_table(section: Section, plan: WeekPlan) -> list[str]:
    head = ("if truly", "", *plan.days, "wrong", "half by job", "size")
    if any(row.wrong is None for row in section.rows):
        head = ("if", "", *plan.days, "sure by job", "excluded by job")
    rows = [
        (
            row.truth,
            row.verdict,
            *(chance(value) for value in row.chances),
            *(() if row.wrong is None else (chance(row.wrong),)),
            row.jobs,
            row.size,
        )
        for row in section.rows
    ]
    return table(head, rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as need be, numbers to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
