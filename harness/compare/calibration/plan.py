"""Which mutants are planted where: seeded, independent of the rules. Pure.

A pair may carry every kind that applies to it, each in a copy of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from harness.compare.calibration.kinds import (
    KINDS,
    LEFT_OUT,
    MIXED_UP,
    ROW_KINDS,
    VALUE_KINDS,
    Effect,
)
from harness.compare.calibration.texts import changed, someone_elses
from harness.compare.comparison import Comparison, compare
from harness.compare.kinds import VALUE_FIELDS
from harness.compare.meaning import meaning
from harness.compare.rules import RuleSet
from harness.compare.silence import BlindPeriod, silent_for_s
from harness.model import Side

PAIR_KEYS = ["mode", "job_id", "directory"]
_PLACES = {**dict.fromkeys(PAIR_KEYS, pl.String), "new_value": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How a comparison is asked, besides its rules; as `compare` takes them."""

    as_of: datetime
    deadline_s: float
    time_scale: float = 1.0
    blind: Sequence[BlindPeriod] = ()

    def compared(self, submissions: pl.DataFrame, jobs: pl.DataFrame, rules: RuleSet) -> Comparison:
        """Compare so, as the real run does."""
        return compare(
            submissions,
            jobs,
            rules,
            as_of=self.as_of,
            deadline_s=self.deadline_s,
            time_scale=self.time_scale,
            blind=self.blind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is planted.

    mutants: mutant (number), mode, job_id, directory, kind, field, new_value, ordered by number.
    places: for each kind in how many pairs and jobs it could be planted.
    """

    mutants: pl.DataFrame
    places: dict[str, tuple[int, int]]


def plan(comparison: Comparison, conditions: Conditions, *, mutations: int, seed: int) -> Plan:
    """Choose `mutations` faults or all there are, shared out evenly among the kinds that apply.

    Each kind that is no fault (innocent, or not judged) is planted as often as the most frequent
    fault. comparison: the real one. Faults are planted where both sides have spoken and nothing
    differs yet. A pair that a rule sets apart counts like any other, and so does one whose control
    rows contradict each other.
    """
    places: dict[str, tuple[int, int]] = {}
    samples: dict[str, pl.DataFrame] = {}
    for kind, frame in _places(_eligible(comparison, conditions)):
        if frame.height:
            places[kind] = (frame.height, frame["job_id"].n_unique())
            # One source of chance a kind: a new kind leaves what the others plant as it was.
            chance = random.Random(f"{seed}:{kind}")
            rows = chance.sample(range(frame.height), min(frame.height, mutations))
            samples[kind] = frame[rows]
    faults = {kind: n for kind, (n, _) in places.items() if KINDS[kind].effect is Effect.CHANGES}
    chosen = _shares(faults, mutations)
    most = max(chosen.values(), default=0)
    parts = [
        samples[kind]
        .head(chosen.get(kind, most))
        .with_columns(kind=pl.lit(kind), field=pl.lit(KINDS[kind].field))
        for kind in sorted(samples)
    ]
    mutants = pl.concat(parts) if parts else _nothing()
    return Plan(
        mutants=mutants.with_row_index("mutant").with_columns(pl.col("mutant").cast(pl.Int64)),
        places=dict(sorted(places.items())),
    )


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={**_PLACES, "kind": pl.String, "field": pl.String})


def _eligible(comparison: Comparison, conditions: Conditions) -> pl.DataFrame:
    """Pairs in which nothing differs, and what silence would mean in each."""
    differing = pl.concat([comparison.differing, comparison.differing_apart])
    pairs = comparison.pairs.filter(pl.col("state").is_in(["settled", "excluded"])).join(
        differing.select(PAIR_KEYS).unique(), on=PAIR_KEYS, how="anti", maintain_order="left"
    )
    begun = ("created_at", "claimed_at", "triggered_at", "flow_started_at")

    def overdue(*signs: str) -> pl.Expr:
        silent_s = silent_for_s(
            pl.max_horizontal(*signs), until=conditions.as_of, time_scale=conditions.time_scale,
            blind=() if signs == ("control_started_at",) else conditions.blind,
        )  # fmt: skip
        # Rows that contradict each other no longer do so once they are silent.
        settled = pl.col("state") == "settled"
        return settled & (silent_s > conditions.deadline_s).fill_null(False)

    return pairs.with_columns(
        silent_dropped=overdue(*begun),
        silent_begun=overdue(*begun, "candidate_started_at")
        & pl.col("candidate_started_at").is_not_null(),
        silent_without_control=overdue(*begun, "candidate_started_at", "candidate_finished_at"),
        control_silent=overdue("control_started_at"),
    )


def _places(pairs: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Kind and the pairs where it applies, in their order, with the new value if it has one."""
    settled = pl.col("state") == "settled"
    none = pl.lit(None, pl.String).alias("new_value")
    for kind in ROW_KINDS:
        # Of rows that contradict each other nothing can be said to have stayed the same, and they
        # might contradict each other no more once they are changed.
        apart = kind.effect is Effect.CHANGES and kind.side is Side.CANDIDATE
        where = kind.where if apart else kind.where & settled
        yield kind.id, pairs.filter(where.fill_null(False)).select(*PAIR_KEYS, none)
    for name in VALUE_FIELDS:
        for kind_id, frame in _value_places(pairs, name).items():
            apart = KINDS[kind_id].effect is not Effect.INNOCENT
            kept = frame if apart else frame.filter(settled)
            yield kind_id, kept.select(*PAIR_KEYS, "new_value")


def _value_places(pairs: pl.DataFrame, name: str) -> dict[str, pl.DataFrame]:
    field = f"values.{name}"
    sent = pairs.select(
        *PAIR_KEYS, "state", control=f"control_sent_{name}",
        value=pl.coalesce(f"observed_{name}", f"candidate_sent_{name}"),
    ).drop_nulls(["control", "value"])  # fmt: skip
    # What a person would already call different cannot become so, and a rule has let it pass.
    both = sent.select("control", "value").unique(maintain_order=True)
    same = [row for row in both.iter_rows() if meaning(field, row[0]) == meaning(field, row[1])]
    agreeing = pl.DataFrame(same, schema=both.schema, orient="row")
    sent = sent.join(agreeing, on=["control", "value"], how="semi", maintain_order="left")
    values = sent["value"].unique(maintain_order=True).to_list()
    changes: dict[str, dict[str, str]] = {}
    for kind, change in VALUE_KINDS.values():
        if kind.field == field:
            innocent = kind.effect is Effect.INNOCENT
            found = {v: changed(change.change, field, v, same=innocent) for v in values}
            changes[kind.id] = {old: new for old, new in found.items() if new is not None}
    changes[MIXED_UP[name].id] = someone_elses(field, values)
    placed = {
        kind_id: sent.join(
            pl.DataFrame(list(new.items()), schema=["value", "new_value"], orient="row"),
            on="value", how="inner", maintain_order="left",
        )
        for kind_id, new in changes.items() if new
    }  # fmt: skip
    left_out = sent.with_columns(new_value=pl.lit(None, pl.String))
    return placed | {LEFT_OUT[name].id: left_out}


def _shares(places: dict[str, int], mutations: int) -> dict[str, int]:
    """How many of each kind: the same for all, and more where others have not so many places."""
    left, shares = mutations, {}
    waiting = sorted(places.items(), key=lambda item: (item[1], item[0]))
    for number, (kind, most) in enumerate(waiting):
        # Rounded up, so that no fewer are planted than asked for.
        shares[kind] = min(most, -(-left // (len(waiting) - number)))
        left -= shares[kind]
    return shares
