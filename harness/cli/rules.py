"""``shadow rules``: what each rule does, how a value came to be, and new rules on trial."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import (
    F,
    Moment,
    json_option,
    moment_options,
    resolved,
    settings_with,
)
from harness.cli.table import print_rows
from harness.cli.told import agreement_of, counted, print_json, report_of, say, say_agreement
from harness.errors import SettingsError

if TYPE_CHECKING:
    from harness.assess.criteria import Criteria
    from harness.assess.weighing import Weighed
    from harness.assessment import Difference
    from harness.compare.comparison import Comparison
    from harness.compare.explain import Step
    from harness.compare.rules import Rule
    from harness.compare.trial import Trial
    from harness.settings import Settings

_COLUMNS = ("name", "touched", "hidden", "author", "reason")


@click.group(invoke_without_command=True)
@moment_options
@json_option
@click.pass_context
def rules(
    ctx: click.Context,
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    as_json: bool,
) -> None:
    """List the rules and what each hides; explain a pair; try or add a rule.

    \b
    Examples:
      shadow rules --journal week.duckdb
      shadow rules explain 3f9a0c1b2d4e
      shadow rules test 'kind = "casefold", field = "values.name"'
      shadow rules add proposed.toml --author "Ada Quill" --reason "imported in capitals"
    """
    if ctx.invoked_subcommand is None:
        _list(config, journal, as_of, as_json)
    elif config or journal or as_of is not None or as_json:
        raise click.UsageError(f"Put options after {ctx.invoked_subcommand}.", ctx)


@rules.command("list")
@moment_options
@json_option
def list_(
    config: Path | None, journal: Path | None, as_of: Moment | None, as_json: bool
) -> None:  # fmt: skip
    """List the rules, what each has touched, and how many differences it hides.

    Agreement with and without rules goes to stderr, and so does a line for each rule that hides
    more pairs than it is declared to (expects_at_most).

    \b
    Examples:
      shadow rules list --journal week.duckdb
      shadow rules list --as-of -2h --json
    """
    _list(config, journal, as_of, as_json)


@rules.command()
@moment_options
@click.argument("pair")
@click.argument("directory", required=False)
@click.option("--mode", help="Only live, or this replay run.")
@json_option
def explain(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    pair: str,
    directory: str | None,
    mode: str | None,
    as_json: bool,
) -> None:
    """Show what each rule makes of both sides of a pair, step by step.

    PAIR is the id of a difference, as shadow diff shows it, or of a pair; or a job, or how its id
    begins, followed by a DIRECTORY. Personal values are masked.

    \b
    Examples:
      shadow rules explain 3f9a0c1b2d4e --journal week.duckdb
      shadow rules explain 7c1d02ab maple-listings.example --mode live
      shadow rules explain 7c1d02ab maple-listings.example --json
    """
    from harness.assess.criteria import load_criteria
    from harness.compare.explain import explain as steps_of
    from harness.compare.explain import find_pairs

    settings = settings_with(config, journal)
    comparison, seq, _ = _compared(settings, load_criteria(settings), as_of)
    found = find_pairs(comparison, pair, directory)
    jobs = sorted({job for _, job, _ in found})
    if len(jobs) > 1:
        raise SettingsError(
            f"{pair}: {len(jobs)} jobs begin so. Give more of the id: {', '.join(jobs)}."
        )
    found = [key for key in found if mode in (None, key[0])]
    if not found:
        raise SettingsError(
            f"{' '.join(filter(None, (pair, directory, mode)))}: there is no such pair as of seq "
            f"{seq}. Take an id from: shadow diff"
        )
    rows = [row for key in found for row in _masked_steps(steps_of(comparison, key))]
    if as_json:
        click.echo(json.dumps({"seq": seq, "steps": rows}, ensure_ascii=False, indent=2))
        return
    columns = ("pair", "mode", "job_id", "directory", "field", "rule", "effect", "control",
               "candidate", "agrees")  # fmt: skip
    shown = [{**row, "agrees": "yes" if row["agrees"] else "no"} for row in rows]
    print_rows(shown, columns, brief=columns[4:])


def _proposal(function: F) -> F:
    """The rule that is tried or added, and what wins over what it says."""
    options: list[Callable[[F], F]] = [
        click.argument("rule"),
        click.option("--name", help="Name of the rule."),
        click.option("--author", help="Who answers for it."),
        click.option("--reason", help="Why the difference is legitimate."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@rules.command()
@moment_options
@_proposal
@json_option
def test(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    rule: str,
    name: str | None,
    author: str | None,
    reason: str | None,
    as_json: bool,
) -> int:
    """Show what a proposed rule would hide. Exit 1 if a real fault is among it.

    RULE is a file with one [[rule]] or more, or a rule itself. A rule takes the place of its
    namesake. Real faults are other outcomes, other classes of error and other values; two ways of
    writing one value are none. Personal values are masked.

    \b
    Examples:
      shadow rules test 'kind = "casefold", field = "values.name"'
      shadow rules test proposed.toml --journal week.duckdb
      shadow rules test 'kind = "ignore", field = "error"' --json
    """
    from harness.assess.criteria import load_criteria
    from harness.assess.rules_file import proposed_rules

    settings = settings_with(config, journal)
    proposed = proposed_rules(rule, name=name, author=author, reason=reason)
    found = _weighed(settings, load_criteria(settings), proposed, as_of)
    if as_json:
        shown = _as_json(found.trial, proposed, found.seq)
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print_trial(found.trial, found.seq)
    return 1 if found.trial.faults else 0


@rules.command()
@moment_options
@_proposal
@click.option("--accept-faults", is_flag=True, help="Add it even if it hides real faults.")
def add(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    rule: str,
    name: str | None,
    author: str | None,
    reason: str | None,
    accept_faults: bool,
) -> int:
    """Add a rule to the team's rules file, after showing what it would hide.

    The file is the one that compare.rules names in shadow.toml; it is begun as a copy of the
    shipped rules. Its text stays as it is and the rule goes below it. Nothing is written if the
    rule is wrong, or hides a real fault (exit 1).

    \b
    Examples:
      shadow rules add proposed.toml --author "Ada Quill" --reason "imported in capitals"
      shadow rules add 'kind = "casefold", field = "values.name"' --name name-case
    """
    settings = settings_with(config, journal)
    addition = addition_of(settings, rule, name=name, author=author, reason=reason, ask=_signed)
    found = _weighed(settings, addition.criteria, (addition.rule,), as_of)
    _print_trial(found.trial, found.seq)
    if found.trial.faults and not accept_faults:
        say("nothing was written: the rule would hide real faults. Narrow it, or --accept-faults")
        return 1
    say(addition.write())
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A rule that may be written into the team's file."""

    rule: Rule
    criteria: Criteria
    """Those of the settings with the file's rules, not yet with the rule."""
    text: str
    """Of the file as it stands."""
    path: Path

    def write(self) -> str:
        """Write it; says so in words. Raises SettingsError if it cannot be written."""
        from harness.assess.rules_file import append_rule

        append_rule(self.path, self.text, self.rule)
        return f"{self.path}: rule {self.rule.name} was added"


def addition_of(
    settings: Settings,
    rule: str,
    *,
    name: str | None,
    author: str | None,
    reason: str | None,
    ask: Callable[[Rule], Rule],
) -> Addition:
    """What ``rules add`` is about to write. Raises SettingsError if it may not be written.

    ask: gives a rule a name, an author and a reason of its own.
    """
    from harness.assess.criteria import load_criteria
    from harness.assess.rules_file import proposed_rules, team_rules

    known, text, path = team_rules(settings.compare.rules)
    proposed = proposed_rules(rule, name=name, author=author, reason=reason)
    if len(proposed) > 1:
        raise SettingsError(f"{rule}: it holds {len(proposed)} rules. Add them one by one.")
    new = ask(proposed[0])
    if any(old.name == new.name for old in known.rule):
        raise SettingsError(f"{path}: a rule is already named {new.name!r}. Give another --name.")
    # The file may not be there yet; its rules are known all the same.
    elsewhere = settings.compare.model_copy(update={"rules": None})
    criteria = load_criteria(settings.model_copy(update={"compare": elsewhere}))
    criteria = replace(criteria, rules=known, rules_origin=str(path))
    return Addition(rule=new, criteria=criteria, text=text, path=path)


def _list(
    config: Path | None, journal: Path | None, as_of: Moment | None, as_json: bool
) -> None:  # fmt: skip
    from harness.assess.moment import overstep

    report = report_of(config, journal, as_of)
    if as_json:
        print_json(report, agreement=agreement_of(report), rules=report["rules"])
        return
    print_rows(report["rules"], _COLUMNS, brief=_COLUMNS)
    say_agreement(report)
    for rule in report["rules"]:
        limit = rule["expects_at_most"]
        if limit is not None and rule["hidden_pairs"] > limit:
            say(overstep(rule["name"], rule["hidden_pairs"], limit))


def _compared(
    settings: Settings, criteria: Criteria, as_of: Moment | None
) -> tuple[Comparison, int, datetime]:
    """The comparison as of a moment, its seq, and the moment that is asked about."""
    from harness.assess.comparing import compare_journal
    from harness.journal.store import Journal

    target = Journal.open(settings.journal)
    moment = resolved(target, as_of)
    with target.reader(moment) as reader:
        asked = datetime.now(UTC) if moment is None else moment
        now = asked if isinstance(asked, datetime) else reader.as_of_time
        return compare_journal(reader, criteria, now=now).comparison, reader.as_of_seq, now


def _weighed(
    settings: Settings, criteria: Criteria, proposed: tuple[Rule, ...], as_of: Moment | None
) -> Weighed:
    """Try the rules on the journal. What is wrong with them is said before it is read."""
    from harness.assess.weighing import checked, weigh_proposed
    from harness.journal.store import Journal

    checked(criteria, proposed)
    target = Journal.open(settings.journal)
    moment = resolved(target, as_of)
    with target.reader(moment) as reader:
        asked = datetime.now(UTC) if moment is None else moment
        now = asked if isinstance(asked, datetime) else None
        return weigh_proposed(reader, criteria, proposed, now=now)


def _signed(rule: Rule) -> Rule:
    """The rule with a name, an author and a reason of its own; a person at a terminal is asked."""
    from harness.assess.rules_file import UNNAMED

    said = {}
    for key, nothing in UNNAMED.items():
        if getattr(rule, key) == nothing:
            if not sys.stdin.isatty():
                raise SettingsError(f"--{key} is missing. A rule that stays needs its {key}.")
            said[key] = click.prompt(key.capitalize(), err=True)
    return rule.model_copy(update=said)


def _masked_steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    from harness.compare.normalise import IGNORED
    from harness.report.redact import is_personal, mask_pair, mask_text, quotable

    steps = list(steps)
    personal = [step for step in steps if is_personal(step.field)]
    known = quotable(value for step in personal for value in (step.control, step.candidate))
    rows = []
    for step in steps:
        shown: tuple[str | None, ...]
        sides = (step.control, step.candidate)
        if is_personal(step.field):
            shown = sides if sides == (IGNORED, IGNORED) else mask_pair(*sides, field=step.field)
        else:
            shown = tuple(None if text is None else mask_text(text, known) for text in sides)
        rows.append({**asdict(step), "control": shown[0], "candidate": shown[1]})
    return rows


def _rows(trial: Trial) -> list[dict[str, Any]]:
    """The hidden differences, masked, real faults first."""
    from harness.report.redact import redact_differences

    faults = {difference.id for difference in trial.faults}
    rows = [
        _row(d, fault=d.id in faults) for d in redact_differences(trial.hidden, among=trial.shown)
    ]
    return sorted(rows, key=lambda row: not row["fault"])


def _row(difference: Difference, *, fault: bool) -> dict[str, Any]:
    return {"fault": fault, **asdict(difference), "verdict": difference.verdict.value}


def _as_json(trial: Trial, proposed: tuple[Rule, ...], seq: int) -> dict[str, Any]:
    from harness.report.json_report import plain
    from harness.report.redact import redact_clusters, redact_differences

    rows = _rows(trial)
    return {
        "seq": seq,
        "rules": [rule.model_dump(mode="json", exclude_none=True) for rule in proposed],
        "hidden": len(trial.hidden),
        "hidden_pairs": trial.hidden_pairs,
        "faults": len(trial.faults),
        "set_apart": trial.set_apart,
        "clusters": plain(redact_clusters(trial.clusters)),
        "differences": rows,
        "appeared": [
            _row(d, fault=False) for d in redact_differences(trial.appeared, among=trial.shown)
        ],
    }


def _print_trial(trial: Trial, seq: int) -> None:
    from harness.report.redact import redact_clusters

    columns = ("fault", "id", "mode", "kind", "job_id", "directory", "field", "control_raw",
               "candidate_raw", "explanation")  # fmt: skip
    brief = ("fault", "id", "kind", "job", "directory", "field", "control_raw", "candidate_raw")
    rows = [
        {**row, "fault": "yes" if row["fault"] else "no", "job": row["job_id"][:8]}
        for row in _rows(trial)
    ]
    if rows:
        print_rows(rows, columns, brief=brief)
    for cluster in redact_clusters(trial.clusters):
        say(f"{cluster.size:>6,}  {cluster.title} ({cluster.kind}, {cluster.mode})")
    if trial.set_apart:
        say(f"{counted(trial.set_apart, 'pair')} would be set apart")
    if trial.appeared:
        say(f"{counted(len(trial.appeared), 'difference')} would come to light")
    say(
        f"{counted(len(trial.hidden), 'difference')} in {counted(trial.hidden_pairs, 'pair')} "
        f"would be hidden, {counted(len(trial.faults), 'real fault')} among them, as of seq {seq}"
    )
