"""What the commands that read a comparison have in common: its report, and how a line is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from harness.assessment import PairCounts
from harness.cli.options import Moment, assess_journal
from harness.model import LIVE, Verdict

Row = Mapping[str, Any]


def report_of(config: Path | None, journal: Path | None, as_of: Moment | None) -> dict[str, Any]:
    """The report's own JSON, personal values masked."""
    from harness.report.json_report import to_dict

    return to_dict(assess_journal(config, journal, as_of))


def print_json(report: Row, **parts: Any) -> None:
    """Print parts of a report and of when it speaks."""
    where = {key: report["provenance"][key] for key in ("seq", "as_of", "rules_version")}
    data = {"schema_version": report["schema_version"], **where, **parts}
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def agreement_of(report: Row) -> dict[str, Any]:
    """Agreement by job with and without rules, and with and without excluded pairs, in [0, 1]."""
    agreement = report["agreement"]
    whole = agreement["with_excluded"]
    return {
        "by_job": agreement["by_job"]["value"],
        "without_rules": agreement["without_rules"]["value"],
        "with_excluded": whole["value"] if whole else agreement["by_job"]["value"],
        "excluded": agreement["excluded"],
        "pairs": report["pairs"],
    }


def say_agreement(report: Row) -> None:
    """The same on stderr, and what became of every pair; nothing of what there is none of."""
    from harness.gates.shown import share

    for counts in report["pairs"]:
        if counts["pairs"]:
            say(tally_of(counts))
    told = agreement_of(report)
    if told["by_job"] is None:
        return
    line = f"agreement by job {share(told['by_job'])}, without rules {share(told['without_rules'])}"
    if report["agreement"]["with_excluded"]:
        line += f", with the excluded pairs {share(told['with_excluded'])}"
    say(line)


def modes_of(report: Row) -> list[str]:
    """Every mode that ``--mode`` may name."""
    shown = [row["mode"] for row in (*report["differences"], *report["findings"])]
    return [LIVE, *shown, *(run["run"] for run in report["replays"])]


def wanted(mode: str, modes: frozenset[str], kind: str, kinds: frozenset[str]) -> bool:
    """Whether a row is of the modes and kinds that were chosen; none chosen are all."""
    return (not modes or mode in modes) and (not kinds or kind in kinds)


def tally_of(counts: Row) -> str:
    """What became of every pair of one mode of a report, as a sum."""
    from harness.gates.shown import tally

    return tally(
        PairCounts(
            mode=counts["mode"],
            pairs=counts["pairs"],
            verdicts=tuple((Verdict(word), n) for word, n in counts["verdicts"].items()),
            excluded=tuple(counts["excluded"].items()),
        )
    )


def counted(number: int, thing: str) -> str:
    """``1 pair``, ``2 pairs``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def say(text: str) -> None:
    """Tell a person, beside the data on stdout."""
    click.echo(text, err=True)
