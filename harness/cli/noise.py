"""``shadow noise``: which fields differ more often than two runs of one worker do."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import Moment, json_option, moment_options, resolved, settings_with
from harness.cli.table import print_rows
from harness.cli.told import counted, say

if TYPE_CHECKING:
    from harness.assess.noise import NoiseReport, NoiseRow
    from harness.assessment import Estimate

_ALPHA = click.FloatRange(0, 0.5, min_open=True, max_open=True)
EXIT_SIGNAL = 1
EXIT_NOT_COMPARED = 3
_COLUMNS = (
    "verdict", "field", "directory", "jobs", "differs", "differs_low", "differs_high", "noise",
    "noise_low", "noise_high", "excess", "excess_low", "excess_high", "label_low", "label_high",
    "too_noisy",
)  # fmt: skip


@click.command()
@moment_options
@click.option("--run", "runs", multiple=True, required=True, metavar="RUN",
              help="A replay run. Give two, of one worker over the same record.")  # fmt: skip
@click.option("--mode", metavar="MODE",
              help="What to judge: live, or a replay run. [default: the first --run]")  # fmt: skip
@click.option("--by", type=click.Choice(["field", "directory"]), default="field",
              show_default=True, help="One row a field, or one a field and directory.")  # fmt: skip
@click.option("--alpha", type=_ALPHA, default=0.01, show_default=True,
              help="Chance of any false signal, over all rows together.")  # fmt: skip
@click.option("--tolerance", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="An excess up to this share is no signal.")  # fmt: skip
@json_option
def noise(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    runs: tuple[str, ...],
    mode: str | None,
    by: str,
    alpha: float,
    tolerance: float,
    as_json: bool,
) -> int:
    """Say which fields differ more often than noise explains. Exit 1 if one does.

    Noise is how often two replay runs of one worker differ from each other. Exit 3 if nothing could
    be compared: noise unknown, too large, or too few jobs.

    \b
    Examples:
      shadow noise --run monday --run monday-again
      shadow noise --run monday --run monday-again --mode live --by directory
      shadow noise --run monday --run monday-again --tolerance 0.01 --json
    """
    from harness.assess.criteria import load_criteria
    from harness.assess.noise import noise_report
    from harness.journal.store import Journal

    if len(runs) != 2:
        raise click.UsageError(f"--run is given {len(runs)} times. Give two runs.")
    settings = settings_with(config, journal)
    criteria = load_criteria(settings)
    target = Journal.open(settings.journal)
    moment = resolved(target, as_of)
    asked = datetime.now(UTC) if moment is None else moment
    with target.reader(moment) as reader:
        report = noise_report(
            reader,
            criteria,
            runs=(runs[0], runs[1]),
            mode=mode,
            by_directory=by == "directory",
            alpha=alpha,
            tolerance=tolerance,
            now=asked if isinstance(asked, datetime) else None,
        )
    if as_json:
        click.echo(json.dumps(_as_json(report), ensure_ascii=False, indent=2))
    elif report.rows:
        _print(report, by_directory=by == "directory")
    _say(report)
    if report.signals:
        return EXIT_SIGNAL
    return 0 if report.judged else EXIT_NOT_COMPARED


def _print(report: NoiseReport, *, by_directory: bool) -> None:
    rows = [_row(row) for row in report.rows]
    shares = ("differs", "noise", "excess")
    for row in rows:
        row |= {f"{name} %": _percent(row, name) for name in shares}
        row["says"] = row["verdict"].replace("_", " ")
    place = ("field", "directory") if by_directory else ("field",)
    print_rows(rows, _COLUMNS, brief=("says", *place, "jobs", *(f"{name} %" for name in shares)))


def _percent(row: dict[str, Any], name: str) -> str:
    """Estimate and interval in percent, its ends rounded outward."""
    if row[name] is None:
        return "unknown"
    low, high = 100 * row[f"{name}_low"], 100 * row[f"{name}_high"]
    return f"{100 * row[name]:.1f} ({floor(10 * low) / 10:.1f} to {ceil(10 * high) / 10:.1f})"


def _row(row: NoiseRow) -> dict[str, Any]:
    """One line for a script; shares in [0, 1]."""
    found, excess = row.found, row.found.excess
    return {
        "verdict": found.verdict.value,
        "field": row.field,
        "directory": row.directory,
        "jobs": excess.n if excess else 0,
        **_rate("differs", found.raw),
        **_rate("noise", found.noise),
        "excess": _rounded(excess.value if excess else None),
        "excess_low": _rounded(excess.headline.low if excess else -1.0),
        "excess_high": _rounded(excess.headline.high if excess else 1.0),
        "label_low": _rounded(excess.label.low if excess else None),
        "label_high": _rounded(excess.label.high if excess else None),
        "too_noisy": found.too_noisy,
    }


def _rate(name: str, rate: Estimate) -> dict[str, float | None]:
    return {
        name: _rounded(rate.value),
        f"{name}_low": _rounded(rate.headline.low),
        f"{name}_high": _rounded(rate.headline.high),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _as_json(report: NoiseReport) -> dict[str, Any]:
    from harness.stats.noise import NOISE_LIMIT

    return {
        "schema_version": 1,
        "seq": report.seq,
        "as_of": report.as_of.isoformat(),
        "rules_version": report.rules_version,
        "mode": report.mode,
        "runs": report.runs,
        "alpha": report.alpha,
        "alpha_per_row": report.alpha_per_row,
        "tolerance": report.tolerance,
        "noise_limit": NOISE_LIMIT,
        "rows": [
            {"field": row.field, "directory": row.directory, **asdict(row.found)}
            for row in report.rows
        ],
    }


def _say(report: NoiseReport) -> None:
    from collections import Counter

    from harness.stats.noise import NoiseVerdict

    counts = Counter(row.found.verdict.value.replace("_", " ") for row in report.rows)
    told = ", ".join(f"{number:,} {words}" for words, number in counts.items()) or "nothing"
    say(
        f"{report.mode} judged by {report.runs[0]} and {report.runs[1]}: {told}, "
        f"as of seq {report.seq}"
    )
    noisy = sum(row.found.verdict is NoiseVerdict.TOO_NOISY for row in report.rows)
    if noisy:
        say(f"{counted(noisy, 'row')} may have more noise than 20 %: silence there says nothing.")
