"""Says which known shape each recorded table has, and what that means for the evidence. Pure.

Shapes may mix across tables: no state of the company's repositories has all migrations working.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.record.postgres.introspect import Table
from harness.record.postgres.shapes import KNOWN, EvidenceLevel, Known

UNKNOWN = "unknown"
"""The variant of a table whose columns fit no mapping."""

OWN = "own"
"""The variant of a table that only a mapping of one's own knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """The shape of one table and its meaning."""

    table: str
    variant: str
    meaning: str
    """One or more sentences."""
    evidence: EvidenceLevel
    mend: str | None = None
    """SQL for the table's owner that brings the missing evidence, where there is any."""


def describe_mapping(tables: Sequence[Table]) -> tuple[TableMapping, ...]:
    """Return the shape of each table, in the order given."""
    return tuple(_describe(table) for table in tables)


def mapping_payload(mappings: Sequence[TableMapping]) -> dict[str, dict[str, str]]:
    """Return table → variant, evidence and meaning, as an event carries it."""
    return {
        mapping.table: {
            "variant": mapping.variant,
            "evidence": mapping.evidence.value,
            "meaning": mapping.meaning,
        }
        for mapping in mappings
    }


def _describe(table: Table) -> TableMapping:
    if table.name not in KNOWN:
        return TableMapping(
            table=table.name,
            variant=OWN,
            meaning="It is read by the SELECTs of the journal's own mapping.",
            evidence=EvidenceLevel.COMPLETE,
        )
    known, columns = KNOWN[table.name], table.columns
    variant = next((one for one in known.variants if one.fits(columns)), None)
    if variant is None:
        return TableMapping(
            table=table.name,
            variant=UNKNOWN,
            meaning=f"No mapping fits its columns: {_lacking(known, columns)}. {known.unreadable}",
            evidence=EvidenceLevel.NONE,
        )
    lost = [
        f"Without {' or '.join(names)}, {what}."
        for names, what in known.wanted.items()
        if not any(one in columns for one in names)
    ]
    evidence = variant.evidence
    if lost and evidence is EvidenceLevel.COMPLETE:
        evidence = EvidenceLevel.PARTIAL
    if evidence is EvidenceLevel.NONE:
        # Of a table that tells nothing, what else it does not tell is no news.
        lost = []
    return TableMapping(
        table=table.name,
        variant=variant.name,
        meaning=" ".join([variant.meaning, *lost]),
        evidence=evidence,
        mend=variant.mend and variant.mend.format(table=f"{table.schema}.{table.name}"),
    )


def _lacking(known: Known, columns: Mapping[str, str]) -> str:
    """Which columns it lacks to be read as each of the known shapes, the nearest first."""
    near = sorted(known.variants, key=lambda variant: len(variant.missing(columns)))
    return "; ".join(
        f"as {variant.name} it lacks {', '.join(missing)}"
        for variant in near
        if (missing := variant.missing(columns))
    )
