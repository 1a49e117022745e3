"""``shadow plan``: what a week of given traffic can and cannot show, before it is run."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import config_option, settings_with
from harness.cli.progress import progress_steps
from harness.errors import EnvironmentProblem, SettingsError

if TYPE_CHECKING:
    from harness.assess.recorded_traffic import RecordedTraffic
    from harness.plan.week import WeekPlan
    from harness.settings import Settings
    from harness.stats.power import JobModel

_FORMATS = ("text", "json", "html", "svg")
_DEFAULT_RHO = 0.2
_LARGEST = 10_000
_RUNS = 2000
_FEWEST_RUNS = 400
"""A chance has then a standard error of 2.5 points at most."""
_SIMULATED = 1_000_000
"""Jobs that are simulated for each truth, unless --runs asks for more: some seconds in all."""
_MOST_SIMULATED = 20_000_000


@click.command()
@config_option
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False),
              help="Take jobs a day, sizes and correlation from this journal where no option "
              "gives them.")  # fmt: skip
@click.option("--jobs-per-day", metavar="N",
              help="Jobs a day, or seven numbers from Monday to Sunday. "
              "[default with --journal: as recorded]")  # fmt: skip
@click.option("--traffic", default="100", show_default=True, metavar="STAGES",
              help="Percentages of the jobs in the shadow, in equal parts of the days (10,50,100) "
              "or with lengths (10:24h,50:2d,100).")  # fmt: skip
@click.option("--days", default=7, show_default=True, help="Length of the week.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]),
              help="First day, for the names of days.")  # fmt: skip
@click.option("--submissions", metavar="N",
              help="Submissions a job, or sizes with their shares (50:0.5,100:0.5). [default: 1, a "
              "job fares as a whole; with --journal: as recorded]")  # fmt: skip
@click.option("--rho", type=click.FloatRange(0, 1),
              help="Correlation of two submissions of one job. [default: 0.2; with --journal: as "
              "recorded]")  # fmt: skip
@click.option("--gates", type=click.Path(path_type=Path, dir_okay=False),
              help="Gates file. [default: that of the settings, else the shipped one]")  # fmt: skip
@click.option("--if-true", "truths", multiple=True, type=click.FloatRange(0, 1), metavar="SHARE",
              help="A true share to try, not those around each threshold. Repeatable.")  # fmt: skip
@click.option("--loss", "losses", multiple=True, metavar="SHARE",
              type=click.FloatRange(0, 1, min_open=True, max_open=True),
              help="A loss rate to try. Repeatable. [default: 0.05 to 0.002]")  # fmt: skip
@click.option("--sure", default=0.9, show_default=True,
              type=click.FloatRange(0, 1, min_open=True, max_open=True),
              help="The chance from which on something counts as shown.")  # fmt: skip
@click.option("--runs", type=click.IntRange(100, 100_000),
              help="Simulated weeks. [default: 2000, down to 400 where jobs are many]")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of the simulation; the same seed gives the same bytes.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True,
              help="html is a page with the chart, svg the chart alone.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write to a file instead of stdout.")  # fmt: skip
def plan(
    config: Path | None,
    journal: Path | None,
    jobs_per_day: str | None,
    traffic: str,
    days: int,
    start: datetime | None,
    submissions: str | None,
    rho: float | None,
    gates: Path | None,
    truths: tuple[float, ...],
    losses: tuple[float, ...],
    sure: float,
    runs: int | None,
    seed: int,
    form: str,
    out: Path | None,
) -> int:
    """Say what a week of traffic can and cannot show, before it is run.

    Each gate of the gates file is judged by its own process on simulated jobs, looked at after
    every job: by which day it would pass or fail if the truth were so and so, and which losses
    would show. Nothing is recorded or changed; a journal is read only if --journal names one.

    \b
    Examples:
      shadow plan --jobs-per-day 40 --traffic 10,50,100 --days 7 --start 2026-11-30
      shadow plan --jobs-per-day 60,60,60,60,60,10,5 --start 2026-11-30 --traffic 10:24h,50:2d,100
      shadow plan --jobs-per-day 40 --submissions 50:0.5,100:0.5 --rho 0.3 --loss 0.002
      shadow plan --journal week.duckdb --traffic 50,100 --format html --out plan.html
    """
    from harness.gates.presets import load_gates
    from harness.plan.traffic import make_schedule
    from harness.plan.week import LOSS_RATES, Assumptions, count_steps, plan_week

    settings = settings_with(config, journal)
    recorded = _recorded(settings) if journal else None
    if jobs_per_day is None and recorded is None:
        raise SettingsError(
            "--jobs-per-day is missing. Give the jobs of a day, such as --jobs-per-day 40, or a "
            "--journal that has them."
        )
    first = start.date() if start else _start_of(recorded, jobs_per_day)
    schedule = make_schedule(
        jobs_per_day=jobs_per_day or _per_day(recorded), traffic=traffic, days=days, start=first
    )
    criteria = load_gates(gates or settings.gates.file, settings.gates.preset)
    jobs = max(1, schedule.by_day()[-1])
    if runs is None:
        runs = max(_FEWEST_RUNS, min(_RUNS, _SIMULATED // jobs))
    simulated = runs * jobs
    if simulated > _MOST_SIMULATED:
        raise SettingsError(
            f"--runs {runs}: {simulated:,} jobs would be simulated for each truth, more than "
            f"{_MOST_SIMULATED:,}. Give fewer --runs or --days."
        )
    assumptions = Assumptions(
        model=_model(submissions, rho, recorded),
        sure=sure,
        runs=runs,
        seed=seed,
        truths=tuple(sorted(set(truths), reverse=True)),
        loss_rates=tuple(sorted(set(losses), reverse=True)) or LOSS_RATES,
    )
    with progress_steps(count_steps(criteria)) as progress:
        result = plan_week(schedule, criteria, assumptions, progress)
    text = _rendered(result, form)
    if out is None:
        click.echo(text, nl=False)
    else:
        _write(out, text)
    return 0


def _recorded(settings: Settings) -> RecordedTraffic:
    from harness.assess.criteria import load_criteria
    from harness.assess.recorded_traffic import read_traffic
    from harness.journal.store import Journal

    with Journal.open(settings.journal).reader() as reader:
        found = read_traffic(reader, load_criteria(settings))
    if not found.per_day:
        raise SettingsError(
            f"--journal {settings.journal}: it shows no traffic: no job is proved recorded. Give "
            "--jobs-per-day instead, or another journal."
        )
    return found


def _per_day(recorded: RecordedTraffic | None) -> str:
    assert recorded is not None
    numbers = recorded.per_weekday or (recorded.per_day,)
    return ",".join(f"{number:.4g}" for number in numbers)


def _start_of(recorded: RecordedTraffic | None, jobs_per_day: str | None) -> date | None:
    """The recorded week goes on: its weekdays differ, so the plan needs to know on which it is."""
    if recorded is None or recorded.per_weekday is None or jobs_per_day is not None:
        return None
    return recorded.next_day


def _model(
    submissions: str | None, rho: float | None, recorded: RecordedTraffic | None
) -> JobModel:
    from harness.stats.power import WHOLE_JOBS, JobModel, shares_of_sizes

    if submissions is not None:
        sizes = _sizes(submissions)
    elif recorded is not None and recorded.sizes:
        sizes = shares_of_sizes(recorded.sizes)
    else:
        sizes = WHOLE_JOBS.sizes
    if rho is None:
        known = recorded.rho if recorded is not None else None
        # An estimate may be a little below 0; what it estimates hardly is.
        rho = _DEFAULT_RHO if known is None else min(1.0, max(0.0, known))
    return JobModel(sizes=sizes, rho=rho if any(size > 1 for size, _ in sizes) else 0.0)


def _sizes(text: str) -> tuple[tuple[int, float], ...]:
    """``50`` or ``50:0.5,100:0.5``; SettingsError for anything else."""
    mend = "Give a whole number, or sizes with shares that add up to 1, such as 50:0.5,100:0.5."
    try:
        parts = [part.split(":") for part in text.split(",")]
        sizes = tuple((int(size), float(share[0]) if share else 1.0) for size, *share in parts)
    except ValueError:
        raise SettingsError(f"--submissions {text}: not a size. {mend}") from None
    if (
        any(len(part) > 2 for part in parts)
        or any(size < 1 or not 0.0 < share <= 1.0 for size, share in sizes)
        or len({size for size, _ in sizes}) < len(sizes)
        or abs(sum(share for _, share in sizes) - 1.0) > 1e-6
    ):
        raise SettingsError(f"--submissions {text}: not a size. {mend}")
    if max(size for size, _ in sizes) > _LARGEST:
        raise SettingsError(f"--submissions {text}: more than {_LARGEST:,} a job. Give fewer.")
    total = sum(share for _, share in sizes)
    return tuple((size, share / total) for size, share in sizes)


def _rendered(plan: WeekPlan, form: str) -> str:
    match form:
        case "json":
            from harness.report.plan_json import plan_json

            return plan_json(plan)
        case "html":
            from harness.report.plan_html import plan_html

            return plan_html(plan)
        case "svg":
            from harness.report.plan_chart import plan_chart

            chart = plan_chart(plan)
            if chart is None:
                raise SettingsError(
                    "--format svg: no gate counts jobs, so there is nothing to draw. Take text."
                )
            return f"{chart}\n"
        case _:
            from harness.plan.words import as_text

            return as_text(plan)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f"--out {path}: cannot be written ({error.strerror}). Choose a folder you may write to."
        ) from error
