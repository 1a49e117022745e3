"""``shadow ramp``: when to raise the share of traffic, and what that risks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from harness.cli.options import Moment, json_option, moment_options, resolved, settings_with
from harness.cli.progress import progress_steps
from harness.errors import SettingsError


@click.command()
@moment_options
@click.option("--traffic", metavar="STAGES",
              help="So far and since when (UTC): 10, or 10,50@2026-11-25T08:00. "
              "[default: the marks of the journal]")  # fmt: skip
@click.option("--next", "then", metavar="STAGES",
              help="To come. [default: those of 10, 50, 100 above the present one]")  # fmt: skip
@click.option("--salt", help="Of the hash that selects jobs: tells left out from lost.")
@click.option("--tolerate", type=click.FloatRange(min=0, min_open=True), metavar="JOBS",
              help="Harmed jobs a day that the next stage may cost at worst.")  # fmt: skip
@click.option("--sure", default=0.9, show_default=True,
              type=click.FloatRange(0, 1, min_open=True, max_open=True),
              help="The chance of a pass at which the last stage is long enough.")  # fmt: skip
@click.option("--runs", type=click.IntRange(100, 10_000), default=1000, show_default=True,
              help="Simulated futures.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of the simulation; the same seed gives the same bytes.")  # fmt: skip
@json_option
def ramp(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    traffic: str | None,
    then: str | None,
    salt: str | None,
    tolerate: float | None,
    sure: float,
    runs: int,
    seed: int,
    as_json: bool,
) -> int:
    """Say when to raise the share of traffic, and what that risks.

    Looks at the jobs that were in the shadow so far: whether they are like all others, what the
    gates say of them, how many were lost or failed; then at each stage to come: how long, how many
    jobs harmed, and how the gates are likely to end.

    Exit code 0 to go on, 3 to wait, 1 to go back.

    \b
    Examples:
      shadow ramp --journal week.duckdb
      shadow ramp --journal week.duckdb --traffic 10
      shadow ramp --journal week.duckdb --traffic 10,50@2026-11-25T08:00 --salt shadow-2025
      shadow ramp --traffic 10 --next 25,100 --tolerate 2 --json
    """
    from harness.assess.criteria import load_criteria
    from harness.assess.ramp import marked_stages, read_ramp
    from harness.journal.store import Journal
    from harness.plan.ramp import advise
    from harness.plan.ramp_evidence import Aim
    from harness.plan.ramp_outlook import means_of
    from harness.plan.ramp_words import as_text
    from harness.plan.stages import parse_next, parse_stages, steps_after
    from harness.report.ramp_json import ramp_json

    settings = settings_with(config, journal)
    criteria = load_criteria(settings)
    target = Journal.open(settings.journal)
    moment = resolved(target, as_of)
    asked = datetime.now(UTC) if moment is None else moment
    with target.reader(moment) as reader:
        stages = parse_stages(traffic) if traffic else marked_stages(reader)
        if not stages:
            raise SettingsError(
                "--traffic is missing, and the journal has no mark of a step. Give the stages, "
                "such as --traffic 10, or say shadow mark ramp 10 when a step is taken."
            )
        evidence = read_ramp(
            reader,
            criteria,
            stages,
            salt=salt,
            now=asked if isinstance(asked, datetime) else None,
        )
        seq, at = reader.as_of_seq, reader.as_of_time.isoformat()
    if not evidence.jobs_per_hour:
        raise SettingsError(
            f"--traffic {traffic or '(marks)'}: no job is proved recorded since these stages "
            "began. Give earlier times, or another journal."
        )
    present = stages[-1].percent
    aim = Aim(
        then=parse_next(then, present=present) if then else steps_after(present),
        tolerated_per_day=tolerate,
        alpha=criteria.alpha_total / 2.0,
        sure=sure,
        runs=runs,
        seed=seed,
    )
    with progress_steps(len(list(means_of(criteria.gates)))) as progress:
        advice = advise(evidence, criteria.gates, aim, progress)
    click.echo(ramp_json(advice, seq=seq, as_of=at) if as_json else as_text(advice), nl=False)
    return advice.advice.exit_code
