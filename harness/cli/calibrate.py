"""``shadow calibrate``: plants known faults in copies of what was recorded, counts what shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import Moment, json_option, moment_options, resolved, settings_with
from harness.cli.table import print_rows
from harness.cli.told import counted, say
from harness.errors import EnvironmentProblem

if TYPE_CHECKING:
    from harness.assess.calibrate import Calibration
    from harness.compare.calibration.scoring import Survivors

EXIT_NO_EVIDENCE = 3
_STEPS = 5
_KINDS = 6
"""So many kinds are named in a line; ``--json`` has all."""


@click.command()
@moment_options
@click.option("--mutations", type=click.IntRange(min=1), default=10_000, show_default=True,
              help="Plant at least so many faults, if there are places for them.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True,
              help="Which places are chosen; the same seed gives the same bytes.")  # fmt: skip
@click.option("--rate", "rates", multiple=True, metavar="SHARE",
              type=click.FloatRange(0, 1, min_open=True),
              help="Also plant in this share of the jobs at once. Repeatable. "
              "[default: 0.001, 0.01, 0.05]")  # fmt: skip
@click.option("--at-least", type=click.FloatRange(0, 1), default=0.99, show_default=True,
              help="The mutation score below which the exit code is 1.")  # fmt: skip
@click.option("--keep", is_flag=True,
              help="Also keep it in the journal, so that reports show it.")  # fmt: skip
@json_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Also write the JSON to a file.")  # fmt: skip
def calibrate(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mutations: int,
    seed: int,
    rates: tuple[float, ...],
    at_least: float,
    keep: bool,
    as_json: bool,
    out: Path | None,
) -> int:
    """Prove that the comparison would see a fault, and name the rule that hides one.

    Known faults are planted in copies of the recorded events and judged by the rules of the real
    run. The journal is only read, unless it is to keep the result. Without a terminal: one
    tab-separated line for each kind.

    Exit code 0 if enough of them show, no rule blinds the comparison and nothing innocent is
    reported; else 1; 3 where there is nothing to plant in.

    \b
    Examples:
      shadow calibrate --journal week.duckdb --keep
      shadow calibrate --mutations 50000 --seed 7 --out calibration.json
      shadow calibrate --as-of -2h --at-least 0.995 --json
    """
    from harness.report.calibration_json import to_json

    result = _calibrated(config, journal, as_of, mutations, seed, rates, at_least)
    if keep:
        _keep(config, journal, result)
    if out:
        _write(out, to_json(result))
    if as_json:
        click.echo(to_json(result), nl=False)
    else:
        _print(result)
    if result.sharp is None:
        return EXIT_NO_EVIDENCE
    return 0 if result.sharp else 1


def _keep(config: Path | None, journal: Path | None, result: Calibration) -> None:
    from harness.assess.calibration_noted import calibrated_event
    from harness.journal.store import Journal
    from harness.model import Batch
    from harness.report.calibration_json import to_dict

    event = calibrated_event(to_dict(result), at=datetime.now(UTC))
    target = Journal.open(settings_with(config, journal).journal)
    appended = target.append(Batch(events=(event,), tier="operator"))
    say(f"journaled as seq {appended.last_seq}")


def _calibrated(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mutations: int,
    seed: int,
    rates: tuple[float, ...],
    at_least: float,
) -> Calibration:
    from harness.assess.calibrate import calibrate as plant
    from harness.assess.calibrate import read_material
    from harness.assess.criteria import load_criteria
    from harness.compare.calibration.scoring import RATES
    from harness.journal.store import Journal

    settings = settings_with(config, journal)
    criteria = load_criteria(settings)
    target = Journal.open(settings.journal)
    moment = resolved(target, as_of)
    asked = datetime.now(UTC) if moment is None else moment
    with _bar() as progress:
        progress("reading the journal")
        with target.reader(moment) as reader:
            now = asked if isinstance(asked, datetime) else None
            material = read_material(reader, criteria, seed=seed, now=now)
        return plant(
            material,
            criteria,
            mutations=mutations,
            rates=tuple(sorted(set(rates))) or RATES,
            at_least=at_least,
            progress=progress,
        )


@contextmanager
def _bar() -> Iterator[Callable[[str], None]]:
    """Show on a terminal how far it is; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(
        length=_STEPS + 1, file=sys.stderr, show_eta=False, item_show_func=_words
    ) as bar:
        yield lambda words: bar.update(1, words)
        bar.update(1, "done")


def _words(step: str | None) -> str:
    return step or ""


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f"--out {path}: cannot be written ({error.strerror}). Choose a folder you may write to."
        ) from error


def _print(result: Calibration) -> None:
    from harness.compare.calibration.kinds import Effect

    if result.sharp is None:
        say(
            "no evidence: the journal holds no pair of which both sides have ended and agree, so "
            "there is nothing to plant a fault in"
        )
        return
    columns = ("kind", "effect", "planted", "shown", "score", "jobs", "visible_rate", "fault")
    brief = ("kind", "effect", "planted", "shown", "score", "visible_rate")
    rows = [
        {
            "kind": kind.kind,
            "effect": kind.effect.value,
            "planted": kind.planted,
            "shown": kind.shown,
            "score": f"{kind.score:.4f}" if kind.effect is Effect.CHANGES else None,
            "jobs": kind.jobs,
            "visible_rate": None if kind.visible_rate is None else f"{kind.visible_rate:.4f}",
            "fault": kind.fault,
        }
        for kind in result.scores.kinds
    ]
    print_rows(rows, columns, brief=brief)
    for line in lines(result):
        say(line)


def lines(result: Calibration) -> Iterator[str]:
    """What the figures mean, a line each: what was hidden by what, how rare a fault may be."""
    scores = result.scores
    for group in scores.survivors:
        yield _survived(group)
    for hiding in scores.hiding:
        told = (
            f"rule {hiding.rule} hides {hiding.hidden:,} of {hiding.planted:,} faults planted in "
            f"{hiding.field} ({_percent(hiding.share)})"
        )
        yield f"{told}: it blinds the comparison there" if hiding.blinds else told
    for mutant in scores.false_alarms[:3]:
        yield f"false alarm: {mutant.fault} ({mutant.kind}), job {mutant.job_id}"
    for run in result.runs:
        yield (
            f"planted in {run.hit:,} of {counted(run.jobs, 'job')} ({_percent(run.rate)} asked "
            f"for): seen in {run.shown:,}"
        )
    yield from _rarest(result)
    yield (
        f"{scores.innocent:,} innocent changes: {counted(len(scores.false_alarms), 'false alarm')}"
    )
    blinding = sorted({hiding.rule for hiding in scores.blinding})
    if blinding:
        yield f"blinding: {', '.join(blinding)}. Narrow or remove what hides faults."
    score = 0.0 if scores.score is None else scores.score
    yield (
        f"{scores.planted:,} planted, {scores.caught:,} caught: score {_percent(score)}, "
        f"{_percent(result.at_least)} asked for"
    )


def _rarest(result: Calibration) -> Iterator[str]:
    faults = [kind for kind in result.scores.kinds if kind.jobs and kind.effect == "changes"]
    rates = sorted((k.visible_rate, k.kind) for k in faults if k.visible_rate is not None)
    if rates:
        (least, easiest), (most, hardest) = rates[0], rates[-1]
        yield (
            f"with {_percent(1 - result.alpha)} confidence this evidence shows a fault that hits "
            f"{_percent(least)} of jobs ({easiest}) to {_percent(most)} ({hardest})"
        )
    if never := [kind.kind for kind in faults if kind.visible_rate is None]:
        yield (
            f"{counted(len(never), 'kind')} would not be seen so surely even in every job: "
            f"{_named(never)}"
        )


def _survived(group: Survivors) -> str:
    kinds = _named([f"{kind} {number:,}" for kind, number in group.kinds])
    mode, job, directory, fault = group.examples[0]
    where = " ".join(filter(None, (mode, job, directory)))
    what = "not seen" if group.counted else "not judged and no part of the score"
    return f"{group.mutants:,} {what}: {group.cause} ({kinds}; such as {where}: {fault})"


def _named(kinds: Sequence[str]) -> str:
    more = len(kinds) - _KINDS
    shown = [*kinds[:_KINDS], counted(more, "more kind")] if more > 0 else kinds
    return ", ".join(shown)


def _percent(share: float) -> str:
    """Never rounded up to a whole: 99.996 % is not 100 %."""
    shown = f"{100 * share:.2f}"
    if share < 1 and shown == "100.00":
        shown = "99.99"
    return f"{shown.rstrip('0').rstrip('.')} %"
