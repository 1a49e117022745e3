"""``shadow diff``: what the comparison says differs: all of it, a cluster, a job or one difference.

Values are masked as in the report. stdout is data, stderr is talk.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.diff_rows import FORMATS, Shown, write
from harness.cli.options import (
    Moment,
    chosen,
    filter_options,
    json_option,
    meant,
    moment_options,
    opened,
)
from harness.cli.told import agreement_of, counted, modes_of, say, say_agreement, wanted
from harness.errors import SettingsError

if TYPE_CHECKING:
    from harness.assess.sides import PairSides
    from harness.compare.clusters import Clustering
    from harness.compare.comparison import Comparison

_DIFFERENCE_DIGITS = 12


@click.command()
@click.argument("what", required=False, metavar="[JOB|CLUSTER|DIFFERENCE]")
@moment_options
@filter_options("kind of difference")
@click.option("--format", "form", type=click.Choice(FORMATS), help="[default: table]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="Write to this file instead of stdout.")  # fmt: skip
@json_option
def diff(
    what: str | None,
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mode: tuple[str, ...],
    kind: tuple[str, ...],
    form: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """List what differs between control and candidate. Exit 1 if anything does.

    Without an argument, every difference. CLUSTER is the id of a cluster: its differences. JOB is a
    job or how its id begins: all compared fields of its pairs side by side, agreeing ones too, with
    the changed characters marked. DIFFERENCE: that pair only.

    Personal values are masked. In plain text [-…-] is what only the control has and {+…+} what only
    the candidate has. Without a terminal a table is one tab-separated line each.

    \b
    Examples:
      shadow diff --journal week.duckdb
      shadow diff 1df29243
      shadow diff 1b58d786 --as-of -2h
      shadow diff --mode live --kind wrong_value --kind timeout --format csv --out differences.csv
    """
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} contradict each other. Give one.")
    form = "json" if as_json else form or "table"
    if what is not None and (sides := _sides(what, config, journal, as_of, mode)) is not None:
        if kind:
            raise click.UsageError("--kind chooses among differences. Leave it out, or the job.")
        found, seq, facts = sides
        shown = Shown.of_pairs(found, facts)
        write(shown, form, out)
        differing = sum(one.differs for pair in found for one in pair.fields)
        say(f"{counted(differing, 'differing field')} in {counted(len(found), 'pair')} as of {seq}")
        return 1 if differing else 0
    return _listed(what, config, journal, as_of, mode, kind, form, out)


def _listed(
    cluster: str | None,
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mode: tuple[str, ...],
    kind: tuple[str, ...],
    form: str,
    out: Path | None,
) -> int:
    from harness.cli.told import report_of
    from harness.compare.cluster_words import TITLES

    report = report_of(config, journal, as_of)
    kinds = chosen("--kind", kind, TITLES)
    modes = chosen("--mode", mode, modes_of(report))
    found = [
        d
        for d in report["differences"]
        if wanted(d["mode"], modes, d["kind"], kinds) and cluster in (None, d["cluster"])
    ]
    held = {d["cluster"] for d in found}
    clusters = [c for c in report["clusters"] if c["id"] in held]
    facts = {key: report["provenance"][key] for key in ("seq", "as_of", "rules_version")}
    facts = {"schema_version": report["schema_version"], **facts}
    write(Shown.of_list(found, clusters, {**facts, "agreement": agreement_of(report)}), form, out)
    say(f"{counted(len(found), 'difference')} as of seq {report['provenance']['seq']}")
    if form != "json":
        say_agreement(report)
    return 1 if found else 0


def _sides(
    what: str,
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mode: tuple[str, ...],
) -> tuple[tuple[PairSides, ...], str, dict[str, Any]] | None:
    """The pairs that are meant; None if a cluster is. SettingsError if nothing is."""
    from harness.assess.comparing import compare_journal
    from harness.assess.sides import sides_of
    from harness.compare.clusters import find_clusters
    from harness.report.json_report import SCHEMA_VERSION, iso_utc
    from harness.report.sides import redact_sides

    with opened(config, journal, as_of) as (reader, criteria, now):
        comparison = compare_journal(reader, criteria, now=now).comparison
        found = find_clusters(comparison)
        if what in {cluster.id for cluster in found.clusters}:
            return None
        job, difference = _job(what, comparison, found, f"seq {reader.as_of_seq}")
        modes = chosen("--mode", mode, comparison.narrow["mode"].unique().to_list())
        pairs = tuple(
            pair
            for pair in redact_sides(sides_of(comparison, found.members, job))
            if not modes or pair.mode in modes
        )
        facts = {
            "schema_version": SCHEMA_VERSION,
            "seq": reader.as_of_seq,
            "as_of": iso_utc(reader.as_of_time),
            "rules_version": criteria.rules.digest,
        }
    if difference is not None:
        pairs = tuple(p for p in pairs if any(one.id == difference for one in p.fields))
    return pairs, f"seq {facts['seq']}", facts


def _job(
    what: str, comparison: Comparison, found: Clustering, moment: str
) -> tuple[str, str | None]:
    """The job that is meant, and the difference if one is."""
    from harness.compare.explain import find_cell

    if len(what) == _DIFFERENCE_DIGITS:
        cell = find_cell(comparison, what)
        if cell is not None:
            return cell[1], what
    jobs = sorted(comparison.narrow["job_id"].unique().to_list())
    begun = [job for job in jobs if job.startswith(what)]
    if what in begun or len(begun) == 1:
        return (what if what in begun else begun[0]), None
    if begun:
        some = ", ".join(begun[:3]) + (" …" if len(begun) > 3 else "")
        raise SettingsError(
            f"diff {what}: {len(begun)} jobs begin so ({some}). Give more of the id."
        )
    ids = [cluster.id for cluster in found.clusters]
    near = meant(what, [*ids, *(job[: max(len(what), 8)] for job in jobs)])
    raise SettingsError(
        f"diff {what}: no job, cluster or difference has that id as of {moment}. {near}"
        "shadow diff lists them."
    )
