"""Says of each mutant that no difference shows what hid it: the rules, or what is no rule. Pure.

A rule hid a mutant if it shows without the rule while the unchanged pair still does not. Where no
single rule does so, a smallest set of rules that does is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from harness.compare.calibration.kinds import KINDS, LATENCY, Effect
from harness.compare.comparison import Comparison, compare_again
from harness.compare.kinds import PAIR, CeilingRule, ExcludeRule, Rule
from harness.compare.rules import RuleSet
from harness.compare.scope import in_scope

CONTRADICTION = (
    "Several control rows of this host contradict each other, so that none of them speaks for it."
)
WAITS = "The pair still waits for one side, until its deadline."
ONE_SIDE = (
    "The field is recorded on one side only. The two systems fill in different fields, so a field "
    "that one of them leaves out is not compared."
)
NO_CEILING = "No rule sets a ceiling there, so that no duration is too long."
BLIND = "No rule hides it: the comparison itself does not look there."


@dataclass(frozen=True, slots=True)
class Cause:
    """What hid a mutant: rules by name, none where it was no rule; and one sentence."""

    rules: tuple[str, ...]
    sentence: str


def shown(comparison: Comparison, mutants: pl.DataFrame) -> set[int]:
    """Numbers of the mutants that show as a difference in their own field."""
    cells = comparison.differing.select("mode", "field", copy="job_id")
    found = mutants.join(cells.unique(), on=["mode", "copy", "field"], how="semi")
    return set(found["mutant"].to_list())


def find_causes(
    comparison: Comparison, original: Comparison, survivors: pl.DataFrame
) -> dict[int, Cause]:
    """The cause of each survivor by its number.

    comparison: of the planted copies; original: of the recorded pairs, by the same rules.
    survivors: mutants with `copy` that do not show.
    """
    causes = _without_rules(_Search(comparison, original, survivors))
    for field in survivors["field"].unique().sort().to_list():
        for find in (_by_one_rule, _by_several):
            waiting = (pl.col("field") == field) & ~pl.col("mutant").is_in(list(causes))
            search = _Search(comparison, original, survivors).narrowed(survivors.filter(waiting))
            if search.survivors.height:
                causes |= find(search, _suspects(search, field))
    return causes


@dataclass(frozen=True, slots=True)
class _Search:
    """Survivors, their copies and the pairs that they were made from."""

    copies: Comparison
    original: Comparison
    survivors: pl.DataFrame

    def narrowed(self, survivors: pl.DataFrame) -> _Search:
        copies = survivors.select("mode", "directory", job_id="copy")
        pairs = survivors.select("mode", "directory", "job_id").unique()
        return _Search(
            _among(self.copies, copies),
            _among(self.original, pairs),
            survivors,
        )

    def shown_by(self, rules: RuleSet) -> tuple[set[int], set[int]]:
        """Numbers that show by these rules: those whose pair did not before, and all."""
        every = shown(compare_again(self.copies, rules), self.survivors)
        if not every:
            return every, every
        differing = compare_again(self.original, rules).differing
        before = self.survivors.join(
            differing.select("mode", "job_id", "directory", "field").unique(),
            on=["mode", "job_id", "directory", "field"],
            how="semi",
        )
        return every - set(before["mutant"].to_list()), every


def _among(comparison: Comparison, keys: pl.DataFrame) -> Comparison:
    pairs = comparison.pairs.join(
        keys, on=["mode", "job_id", "directory"], how="semi", maintain_order="left"
    )
    return Comparison(pairs=pairs, rules=comparison.rules)


def _without_rules(search: _Search) -> dict[int, Cause]:
    """Causes that are no rules: what does not show although no rule is applied."""
    copies, survivors = search.copies, search.survivors
    # Without a ceiling no latency is a difference, so that ceilings stay.
    ceilings = tuple(rule for rule in copies.rules.rule if isinstance(rule, CeilingRule))
    bare = compare_again(copies, copies.rules.model_copy(update={"rule": ceilings}))
    visible = shown(bare, survivors)
    states = copies.pairs.select("mode", "state", "created_at", copy="job_id")
    rows = survivors.join(states, on=["mode", "copy"], how="left", maintain_order="left")
    ceiling = pl.lit(None, pl.String)
    for rule in ceilings:
        ceiling = pl.when(in_scope(rule, rows)).then(pl.lit(rule.name)).otherwise(ceiling)
    causes: dict[int, Cause] = {}
    for row in rows.with_columns(ceiling=ceiling).iter_rows(named=True):
        number = row["mutant"]
        if row["state"] == "excluded":
            causes[number] = Cause((), CONTRADICTION)
        elif row["state"] == "in_flight":
            causes[number] = Cause((), WAITS)
        elif number in visible:
            continue
        elif row["field"] == LATENCY:
            causes[number] = _too_high(ceilings, row["ceiling"])
        else:
            left_out = KINDS[row["kind"]].effect is Effect.UNJUDGED
            causes[number] = Cause((), ONE_SIDE if left_out else BLIND)
    return causes


def _too_high(ceilings: Sequence[CeilingRule], name: str | None) -> Cause:
    for rule in ceilings:
        if rule.name == name:
            return Cause((rule.name,), f"Rule {rule.name} allows up to {rule.limit:g} s.")
    return Cause((), NO_CEILING)


def _by_one_rule(search: _Search, suspects: Sequence[Rule]) -> dict[int, Cause]:
    """The rule without which a mutant shows, where there is one."""
    found = [(rule, *search.shown_by(search.copies.rules.without(rule.name))) for rule in suspects]
    causes: dict[int, Cause] = {}
    # What comes later wins: of several rules the one that explains most, and before all one without
    # which the unchanged pair stays silent. Where that shows too, the rule does more than to hide.
    for rule, _, every in sorted(found, key=lambda item: len(item[1])):
        causes |= dict.fromkeys(every, _cause([rule]))
    for rule, only_it, _ in sorted(found, key=lambda item: len(item[1])):
        causes |= dict.fromkeys(only_it, _cause([rule]))
    return causes


def _by_several(search: _Search, suspects: Sequence[Rule]) -> dict[int, Cause]:
    """The smallest sets of rules without which the mutants show: none of a set can be put back.

    All suspects are taken away, and put back one after the other wherever the mutant still shows.
    """
    everywhere = frozenset(search.survivors["mutant"].to_list())
    removed: dict[tuple[Rule, ...], frozenset[int]] = {tuple(suspects): everywhere}
    for rule in suspects:
        after: dict[tuple[Rule, ...], frozenset[int]] = {}
        for gone, members in removed.items():
            fewer = tuple(other for other in gone if other != rule)
            rules = search.copies.rules
            for other in fewer:
                rules = rules.without(other.name)
            here = search.narrowed(search.survivors.filter(pl.col("mutant").is_in(sorted(members))))
            still = frozenset(here.shown_by(rules)[1])
            for key, found in ((fewer, still), (gone, members - still)):
                if found:
                    after[key] = after.get(key, frozenset()) | found
        removed = after
    return {number: _cause(gone) for gone, members in removed.items() for number in sorted(members)}


def _suspects(search: _Search, field: str) -> list[Rule]:
    """Rules that can have a say in the field of any of the pairs."""
    cells = search.copies.pairs.select("directory", "created_at", field=pl.lit(field))
    return [
        rule
        for rule in search.copies.rules.rule
        if not isinstance(rule, CeilingRule)
        and (rule.field == PAIR or cells.select(in_scope(rule, cells).any()).item())
    ]


def _cause(rules: Iterable[Rule]) -> Cause:
    chosen = tuple(rules)
    names = tuple(rule.name for rule in chosen)
    if len(chosen) == 1:
        does = "sets the pair apart" if isinstance(chosen[0], ExcludeRule) else "makes it agree"
        return Cause(names, f"Rule {names[0]} ({chosen[0].kind}) {does}.")
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return Cause(names, f"Each of the rules {listed} hides it; it shows without all of them.")
