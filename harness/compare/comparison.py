"""The whole comparison of one moment: pairs, verdicts, differences, effect of each rule. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl

from harness.assessment import Difference, RuleEffect
from harness.compare.applying import apply_rules
from harness.compare.cells import RawCells, compared_fields, spread
from harness.compare.differing import kind
from harness.compare.judging import ComparedCells, JudgedField, judge_field, judge_fields
from harness.compare.kinds import LATENCY, PAIR, CeilingRule, ExcludeRule, Rule
from harness.compare.pairing import pair_submissions
from harness.compare.rules import RuleSet
from harness.compare.scope import is_of_field, with_archetypes, with_exclusions
from harness.compare.sent import Values, with_sent
from harness.compare.silence import BlindPeriod
from harness.compare.texts import all_written
from harness.model import Verdict

VERDICT = pl.Enum([verdict.value for verdict in Verdict])
_PAIR_KEYS = ["mode", "job_id", "directory"]
_MANY = 5_000
"""Pairs from which on it pays to tell of all cells while judging; of fewer, only who asks pays."""
_JUDGED = ("excluded_by", "differs", "raw_differs", "verdict_with_excluded", "verdict",
           "raw_agrees", "archetype")  # fmt: skip


class Comparison:
    """What a comparison found.

    Everything follows from the pairs and the rules, and is made when it is asked for.
    """

    def __init__(self, *, pairs: pl.DataFrame, rules: RuleSet, sent: Values | None = None) -> None:
        """Take over judged pairs, as `pairs` gives them.

        sent: the values that belong to them; None where the pairs have them.
        """
        self.rules = rules
        self.raw = RawCells(pairs, sent)
        self.sent = sent
        self._made: dict[str, pl.DataFrame] = {}
        self._compared: dict[str, ComparedCells] = {}

    @property
    def narrow(self) -> pl.DataFrame:
        """The pairs for whoever needs no value that was sent: `pairs` may lack those here."""
        return self.raw.pairs

    @property
    def pairs(self) -> pl.DataFrame:
        """One row per pair, in the order of mode, creation of the job, job and directory.

        With `verdict`, `raw_agrees` (no rule applied), `excluded_by` (the rule that set it apart)
        and `verdict_with_excluded` (the verdict if no rule set a pair apart).
        """
        if self.sent is not None:
            self.raw = RawCells(with_sent(self.raw.pairs, self.sent))
            self.sent = None
        return self.raw.pairs

    @property
    def differing(self) -> pl.DataFrame:
        """The cells that differ: `pair` (row number in `pairs`) and the columns of `cells`."""
        return self._differing(apart=False)

    @property
    def differing_apart(self) -> pl.DataFrame:
        """The same of the pairs that a rule excluded."""
        return self._differing(apart=True)

    @property
    def cells(self) -> pl.DataFrame:
        """One row per compared field, with raw values, values after the rules, and `differs`.

        Costs ten rows a pair; whoever needs what differs, or the cells of few pairs, asks for
        `differing` or `cells_of`.
        """
        return self._all_cells("cells", pl.col("excluded_by").is_null())

    @property
    def set_apart(self) -> pl.DataFrame:
        """The same of the pairs that a rule excluded."""
        return self._all_cells("set_apart", pl.col("excluded_by").is_not_null())

    def _all_cells(self, name: str, where: pl.Expr) -> pl.DataFrame:
        if name not in self._made:
            self._made[name] = cells_of(self.pairs.filter(where), self.rules)
        return self._made[name]

    def compared(self, name: str) -> ComparedCells:
        """Which pairs have a cell of a field, excluded ones too, and which rules touched it."""
        if name not in self._compared:
            told = judge_field(self.raw, name, self.rules, compared=True).compared
            if told is None:
                raise AssertionError(f"nothing was told of {name}")
            self._compared[name] = told
        return self._compared[name]

    def _differing(self, *, apart: bool) -> pl.DataFrame:
        if "differing" not in self._made:
            self._keep(list(judge_fields(self.raw, self.rules, compared=True)))
        return self._made["differing_apart" if apart else "differing"]

    def _keep(self, judged: Sequence[JudgedField]) -> None:
        """Take over what became of the fields."""
        self._compared = {one.name: one.compared for one in judged if one.compared is not None}
        differing = pl.concat([one.differing for one in judged])
        apart = self.narrow["excluded_by"].is_not_null()
        inside = apart.gather(differing["pair"]) if apart.any() else None
        self._made["differing"] = differing if inside is None else differing.filter(~inside)
        self._made["differing_apart"] = (
            differing.clear() if inside is None else differing.filter(inside)
        )


def cells_of(pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """All compared cells of some pairs of a comparison, agreeing ones too, as `Comparison.cells`.

    rules: those of the comparison.
    """
    return numbered_cells_of(pairs, rules).drop("pair")


def numbered_cells_of(pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """The same with `pair`, the row number of each cell's pair in `pairs`."""
    return apply_rules(spread(pairs, rules), rules)


def compare(
    submissions: pl.DataFrame,
    jobs: pl.DataFrame,
    rules: RuleSet,
    *,
    as_of: datetime,
    deadline_s: float,
    time_scale: float = 1.0,
    blind: Sequence[BlindPeriod] = (),
    deployments: Sequence[tuple[datetime, str]] = (),
) -> Comparison:
    """Pair, spread, normalise and judge. Every pair gets exactly one verdict.

    A ceiling (latency) shows as a difference but does not make outcomes disagree.
    blind: when the candidate's history could not be observed. deployments: since when, and which
    version of the candidate; in order of time.
    """
    pairs, sent = pair_submissions(
        submissions, jobs, as_of=as_of, deadline_s=deadline_s, time_scale=time_scale, blind=blind,
        deployments=deployments,
    )  # fmt: skip
    return compare_pairs(pairs, sent, rules)


def compare_pairs(pairs: pl.DataFrame, sent: Values, rules: RuleSet) -> Comparison:
    """The rest of `compare`, for whoever lets go of the submissions once they are paired."""
    return _judge(pairs, rules, sent, in_full=pairs.height >= _MANY)


def compare_again(comparison: Comparison, rules: RuleSet) -> Comparison:
    """The same pairs judged by other rules."""
    return _judge(comparison.narrow.drop(_JUDGED), rules, comparison.sent, in_full=False)


def _judge(
    pairs: pl.DataFrame, rules: RuleSet, sent: Values | None, *, in_full: bool
) -> Comparison:
    """in_full: whether all cells are going to be asked about, not only those that differ."""
    pairs = with_exclusions(with_archetypes(pairs, rules.archetype), rules)
    found = []
    masks = {name: np.zeros(pairs.height, dtype=bool) for name in ("differs", "raw_differs")}
    for one in judge_fields(RawCells(pairs, sent), rules, compared=in_full):
        found.append(one)
        masks["raw_differs"][one.differing_raw.to_numpy()] = True
        # A ceiling shows as a difference but does not make outcomes disagree.
        if one.name != LATENCY:
            masks["differs"][one.differing["pair"].to_numpy()] = True
    compared = pl.col("state").is_in(["settled", "missing_candidate", "missing_control"])
    verdict = (
        pl.when(pl.col("state") == "settled")
        .then(
            pl.when(pl.col("differs"))
            .then(pl.lit(Verdict.MISMATCH.value, VERDICT))
            .otherwise(pl.lit(Verdict.AGREE.value, VERDICT))
        )
        # What is settled is no verdict.
        .otherwise(pl.col("state").cast(VERDICT, strict=False))
    )
    pairs = (
        pairs.with_columns(
            pl.when(compared).then(pl.Series(mask)).alias(name) for name, mask in masks.items()
        )
        .with_columns(verdict_with_excluded=verdict)
        .with_columns(
            verdict=pl.when(pl.col("excluded_by").is_not_null())
            .then(pl.lit(Verdict.EXCLUDED.value, VERDICT))
            .otherwise("verdict_with_excluded"),
            raw_agrees=~pl.col("raw_differs").fill_null(True),
        )
    )
    comparison = Comparison(pairs=pairs, rules=rules, sent=sent)
    comparison._keep(found)
    return comparison


def rule_effects(comparison: Comparison) -> tuple[RuleEffect, ...]:
    """For each rule: values it touched, and differences that exist only without it.

    A rule that sets pairs apart touches pairs, and hides every difference that they would show.
    """
    verdict = pl.col("verdict")
    compared = comparison.narrow.select(verdict).filter(verdict != Verdict.IN_FLIGHT.value).height
    effects = []
    touched_cells = _touched(comparison)
    for rule in comparison.rules.rule:
        if isinstance(rule, ExcludeRule):
            touched, hidden, pairs = _excluded(comparison, rule)
        else:
            only = _only_without(comparison, rule)
            touched = touched_cells[rule.name]
            hidden, pairs = only.height, only.select(_PAIR_KEYS).n_unique()
            if isinstance(rule, CeilingRule):
                hidden = pairs = 0
        effects.append(
            RuleEffect(
                name=rule.name,
                version=comparison.rules.version,
                author=rule.author,
                reason=rule.reason,
                touched=touched,
                hidden=hidden,
                hidden_pairs=pairs,
                expects_at_most=rule.allowed(compared),
            )
        )
    return tuple(effects)


def hidden_pairs(comparison: Comparison, rule: Rule) -> pl.DataFrame:
    """The keys of the pairs that `RuleEffect.hidden_pairs` counts for a rule of the comparison."""
    if isinstance(rule, ExcludeRule):
        return _only_excluded(comparison, rule)[1]
    found = _only_without(comparison, rule).select(_PAIR_KEYS).unique()
    return found.clear() if isinstance(rule, CeilingRule) else found


def _touched(comparison: Comparison) -> Counter[str]:
    """In how many cells each rule changed a value; those of excluded pairs do not count."""
    counts = Counter[str]()
    inside = comparison.narrow["excluded_by"].is_null()
    for name in compared_fields(comparison.rules):
        cells = comparison.compared(name)
        if any(cells.names):
            by = cells.by[inside.gather(cells.pairs).to_numpy()]
            sizes = np.bincount(by, minlength=len(cells.names)).tolist()
            for names, size in zip(cells.names, sizes, strict=True):
                counts.update(dict.fromkeys(names, size))
    return counts


def _only_without(comparison: Comparison, rule: Rule) -> pl.DataFrame:
    """The cells that would differ if there were no such rule."""
    without = comparison.rules.without(rule.name)
    found = [
        judge_field(comparison.raw, name, without).differing
        for name in compared_fields(comparison.rules)
        # Without a rule that changed nothing there, all is as it was.
        if is_of_field(rule, name)
        and any(rule.name in some for some in comparison.compared(name).names)
    ]
    cells = pl.concat([comparison.differing.clear(), *found])
    return cells.filter(comparison.narrow["excluded_by"].is_null().gather(cells["pair"])).join(
        comparison.differing, on=["pair", "field"], how="anti", maintain_order="left"
    )


def _only_excluded(comparison: Comparison, rule: ExcludeRule) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs with what the rule alone sets apart, and the keys of those no other rule does."""
    touched = with_exclusions(comparison.narrow, RuleSet(version=1, rule=(rule,)))
    others = with_exclusions(comparison.narrow, comparison.rules.without(rule.name))
    mine = touched.filter(pl.col("excluded_by").is_not_null() & others["excluded_by"].is_null())
    return touched, mine.select(*_PAIR_KEYS)


def _excluded(comparison: Comparison, rule: ExcludeRule) -> tuple[int, int, int]:
    """Pairs that the rule sets apart, and differences and pairs that only it hides."""
    touched, mine = _only_excluded(comparison, rule)
    return (
        touched["excluded_by"].count(),
        comparison.differing_apart.join(mine, on=_PAIR_KEYS, how="semi").height,
        mine.height,
    )


def differences(
    comparison: Comparison, members: pl.DataFrame | None = None
) -> tuple[Difference, ...]:
    """Every cell that differs, as a person reads it, ordered by mode, job, directory and field.

    members: `Clustering.members`, to name the cluster of each difference.
    """
    columns = [
        "verdict", "control_outcome", "candidate_outcome",
        "candidate_error_class", "control_error_class", "control_error_text",
        "candidate_error_text", "control_from_seq", "candidate_from_seq", "candidate_attempts",
    ]  # fmt: skip
    found = comparison.differing
    rows = (
        pl.concat(
            [found, all_written(comparison.narrow.select(columns)[found["pair"]])],
            how="horizontal",
        )
        .sort("mode", "created_at", "job_id", "directory", "field", nulls_last=True)
        .with_columns(kind=kind())
    )
    if members is None:
        rows = rows.with_columns(cluster=pl.lit(""))
    else:
        rows = rows.join(members, on=[*_PAIR_KEYS, "field"], how="left", maintain_order="left")
    return tuple(_difference(row) for row in rows.iter_rows(named=True))


def difference_id(mode: str, job_id: str, directory: str, field: str) -> str:
    """Twelve hex digits, the same at every moment and on every machine."""
    text = "\x1f".join((mode, job_id, directory, field))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def pair_id(mode: str, job_id: str, directory: str) -> str:
    """Twelve hex digits of a whole pair, as stable as those of a difference."""
    return difference_id(mode, job_id, directory, PAIR)


def _difference(row: dict[str, object]) -> Difference:
    touched = row["touched"]
    seqs = [s for s in (row["control_from_seq"], row["candidate_from_seq"]) if isinstance(s, int)]
    return Difference(
        id=difference_id(
            str(row["mode"]), str(row["job_id"]), str(row["directory"]), str(row["field"])
        ),
        mode=str(row["mode"]),
        kind=str(row["kind"]),
        verdict=Verdict(str(row["verdict"])),
        job_id=str(row["job_id"]),
        directory=str(row["directory"]),
        field=str(row["field"]),
        control_raw=_text(row["control_raw"]),
        candidate_raw=_text(row["candidate_raw"]),
        control_value=_text(row["control_value"]),
        candidate_value=_text(row["candidate_value"]),
        rules=tuple(touched) if isinstance(touched, list) else (),
        explanation=_explain(row),
        seq=max(seqs, default=0),
        cluster=str(row["cluster"] or ""),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _explain(row: dict[str, object]) -> str:
    """One sentence about a difference of its kind."""
    match row["kind"]:
        case "slow":
            return (
                f"The candidate took {row['candidate_raw']} s for this directory; "
                f"{row['control_value']} s is tolerated."
            )
        case "wrong_value":
            name = str(row["field"]).removeprefix("values.")
            return f"The candidate sent another {name} than the control."
        case "error_class":
            return (
                f"Both failed, for different reasons: the control {row['control_value']}, "
                f"the candidate {row['candidate_value']}."
            )
        case "missing_candidate":
            return (
                f"The control {row['control_value']} it; the candidate has been silent since its "
                "deadline passed."
            )
        case "missing_control":
            return f"The candidate {row['candidate_value']} it; the control never finished it."
        case "other_word":
            return (
                f"The control says {row['control_value']}, the candidate {row['candidate_value']}, "
                "and no rule says that both mean the same."
            )
        case "control_failed":
            why = row["control_error_text"] or "no reason given"
            return f"The candidate submitted it; the control failed: {why}"
        case _:
            why = row["candidate_error_text"] or "no success words on the final page"
            error = row["candidate_error_class"]
            return f"The control submitted it; the candidate failed ({error}): {why}"
