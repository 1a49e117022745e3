"""Masks personal values while still showing where two sides differ. Pure; imports no driver.

Letters and digits that both sides share become ``•``, those that differ become ``◆`` or, where
they are too few to give the value away, stay readable. Punctuation and length stay, so a wrong
format is seen as one. Phones keep their last four digits, as receipts do with card numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from difflib import SequenceMatcher
from functools import lru_cache

from harness.assessment import (
    Assessment,
    Cluster,
    Difference,
    Evidence,
    Finding,
    GateResult,
    Triage,
    Waiver,
)

SAME = "•"
DIFFERENT = "◆"
HIDDEN = "[masked]"
PLAIN_VALUES = frozenset({"website", "category", "state", "country"})
"""Fields of `values.*` that name a business, not a person; every other one is masked."""
MOST_SHOWN = 4
"""A side shows its differing characters only if they are at most this many…"""
LEAST_HIDDEN = 3
"""…and at least this many times as many characters of it stay hidden."""
LONGEST = 64
"""A longer mask is cut to a window around the first difference."""
_PHONE_TAIL = 4
_PHONE_LEAST = 7
_QUOTED_LEAST = 5
_ALIGNED = 400
"""Beyond this many differing characters a fine alignment costs more than it tells."""
_DOTLESS = str.maketrans({"\u0130": "i", "\u0131": "i"})
"""To ignore case is to hold both letters for an i, which folding does not."""
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])")


def is_personal(field: str) -> bool:
    """Whether values of this compared field must be masked. Unknown `values.*` are."""
    return field.startswith("values.") and field.removeprefix("values.") not in PLAIN_VALUES


def mask_pair(
    control: str | None, candidate: str | None, *, field: str
) -> tuple[str | None, str | None]:
    """Both sides masked against each other; None stays None.

    ``(202) 555-0177`` and ``+1 202-555-0142`` as a phone become ``(•••) •••-0177`` and
    ``+◆ •••-•••-0142``. Neither result contains its raw value.
    """
    left, right = _letters(control), _letters(candidate)
    left_differs, right_differs = _differing(left, right)
    tail = _PHONE_TAIL if field.rpartition(".")[2] in ("phone", "fax", "mobile") else 0
    return (
        None if control is None else _mask(control, left, left_differs, tail),
        None if candidate is None else _mask(candidate, right, right_differs, tail),
    )


def mask_text(text: str, known: Iterable[str] = ()) -> str:
    """`text` without mail addresses, phone numbers and the `known` values, longest first."""
    folded = _folded(text)
    # Of a hundred thousand values hardly one stands in the text, and looking is cheap.
    quoted = {value for value in known if _folded(value) in folded}
    for value in sorted(quoted, key=lambda v: (-len(v), v)):
        text = re.sub(re.escape(value), HIDDEN, text, flags=re.IGNORECASE)
    return _without_contacts(text)


@lru_cache(maxsize=4096)
def _without_contacts(text: str) -> str:
    # Half a million differences say the same few hundred things.
    return _PHONE.sub(HIDDEN, _EMAIL.sub(HIDDEN, text))


def redact_differences(
    differences: Sequence[Difference], *, among: Sequence[Difference] = ()
) -> tuple[Difference, ...]:
    """The same differences with personal values masked.

    among: more differences whose personal values the texts of these may quote.
    """
    known = _known_values((*differences, *among))
    return tuple(_difference(d, known.get(d.job_id, ())) for d in differences)


def redact_evidence(evidence: Evidence, *, among: Iterable[Difference]) -> Evidence:
    """The same evidence without personal values. among: differences whose values it may quote."""
    values = set().union(*_known_values(among).values())
    return replace(evidence, detail=mask_text(evidence.detail, values))


def quotable(values: Iterable[str | None]) -> set[str]:
    """Those of the personal `values` that are long enough to be looked for in a text."""
    return {value for value in values if value and len(value) >= _QUOTED_LEAST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted(Assessment):
    """An assessment that is masked already, so that six formats mask half a million values once."""


def redact(assessment: Assessment, *, among: Sequence[Difference] = ()) -> Redacted:
    """The same assessment with personal values masked, wherever they stand.

    among: more differences whose personal values its texts may quote.
    """
    if isinstance(assessment, Redacted):
        return assessment
    masked = _masked(assessment, among)
    return Redacted(**{item.name: getattr(masked, item.name) for item in fields(masked)})


def _masked(assessment: Assessment, among: Sequence[Difference]) -> Assessment:
    known = _known_values((*assessment.differences, *among))
    everywhere = sorted(set().union(*known.values()))
    return replace(
        assessment,
        phases=tuple(
            replace(phase, gates=tuple(_gate(gate) for gate in phase.gates))
            for phase in assessment.phases
        ),
        differences=tuple(_difference(d, known.get(d.job_id, ())) for d in assessment.differences),
        clusters=redact_clusters(assessment.clusters),
        findings=tuple(_finding(f, known, everywhere) for f in assessment.findings),
        triage=tuple(_triage(one) for one in assessment.triage),
        statements=tuple(replace(s, note=mask_text(s.note)) for s in assessment.statements),
        waivers=tuple(_waiver(one) for one in assessment.waivers),
        marks=tuple(
            replace(m, value=mask_text(m.value), note=mask_text(m.note)) for m in assessment.marks
        ),
    )


def redact_clusters(clusters: Iterable[Cluster]) -> tuple[Cluster, ...]:
    """The same clusters without mail addresses and phone numbers; ids stay."""
    return tuple(
        replace(
            cluster,
            title=mask_text(cluster.title),
            description=tuple((name, mask_text(value)) for name, value in cluster.description),
            triage=_triage(cluster.triage) if cluster.triage else None,
        )
        for cluster in clusters
    )


def _gate(gate: GateResult) -> GateResult:
    """Its reason may quote what a person has said."""
    waiver = _waiver(gate.waiver) if gate.waiver else None
    return replace(gate, reason=mask_text(gate.reason), waiver=waiver)


def _waiver(waiver: Waiver) -> Waiver:
    return replace(waiver, reason=mask_text(waiver.reason))


def _triage(said: Triage) -> Triage:
    return replace(said, reason=mask_text(said.reason), description=mask_text(said.description))


def _known_values(differences: Iterable[Difference]) -> dict[str, set[str]]:
    """Per job, the personal values that its texts may quote.

    Very short ones are left out: they would blacken ordinary words.
    """
    known: dict[str, set[str]] = {}
    for difference in differences:
        if is_personal(difference.field):
            known.setdefault(difference.job_id, set()).update(
                quotable(
                    (
                        difference.control_raw,
                        difference.candidate_raw,
                        difference.control_value,
                        difference.candidate_value,
                    )
                )
            )
    return known


def show_pair(
    control: str | None, candidate: str | None, *, field: str, known: Iterable[str]
) -> tuple[str | None, str | None]:
    """Both sides of a compared field as they may be shown.

    known: personal values of the same job, which an error text may quote.
    """
    if is_personal(field):
        return mask_pair(control, candidate, field=field)
    return _text(control, known), _text(candidate, known)


def _difference(difference: Difference, known: Iterable[str]) -> Difference:
    field = difference.field
    control_raw, candidate_raw = show_pair(
        difference.control_raw, difference.candidate_raw, field=field, known=known
    )
    control_value, candidate_value = show_pair(
        difference.control_value, difference.candidate_value, field=field, known=known
    )
    return replace(
        difference,
        control_raw=control_raw,
        candidate_raw=candidate_raw,
        control_value=control_value,
        candidate_value=candidate_value,
        explanation=mask_text(difference.explanation, known),
        triage=_triage(difference.triage) if difference.triage else None,
    )


def _finding(finding: Finding, known: dict[str, set[str]], everywhere: list[str]) -> Finding:
    def shown(item: Evidence) -> Evidence:
        values = everywhere if item.job_id is None else known.get(item.job_id, ())
        return replace(item, detail=mask_text(item.detail, values))

    return replace(finding, evidence=tuple(shown(item) for item in finding.evidence))


def _folded(text: str) -> str:
    """Equal wherever a search that ignores case finds one text in the other, and then some."""
    return text.lower() if text.isascii() else text.translate(_DOTLESS).casefold()


def _text(value: str | None, known: Iterable[str]) -> str | None:
    return None if value is None else mask_text(value, known)


def _is_letter(character: str) -> bool:
    """What gets masked. Marks and signs of other scripts are parts of words, so they are too."""
    return character.isalnum() or not character.isascii()


def _letters(value: str | None) -> str:
    return "".join(filter(_is_letter, value or ""))


def _differing(left: str, right: str) -> tuple[set[int], set[int]]:
    """Positions that the other side does not have, among letters and digits only."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    a, b = left[start : len(left) - end], right[start : len(right) - end]
    if max(len(a), len(b)) > _ALIGNED:
        blocks = [("replace", 0, len(a), 0, len(b))]
    else:
        blocks = [
            block
            for block in SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
            if block[0] != "equal"
        ]
    return (
        {start + i for _, low, high, _, _ in blocks for i in range(low, high)},
        {start + i for _, _, _, low, high in blocks for i in range(low, high)},
    )


def _mask(value: str, letters: str, differs: set[int], tail: int) -> str:
    # Marks are masked like letters, but to hide one hides nothing of the value.
    telling = {place for place, letter in enumerate(letters) if letter.isalnum()}
    few = len(differs) <= MOST_SHOWN and len(telling - differs) >= LEAST_HIDDEN * len(differs)
    shown = set(differs) if few else set()
    if tail and len(telling) >= _PHONE_LEAST:
        shown = set(range(len(letters) - tail, len(letters)))
    masked: list[str] = []
    first: int | None = None
    position = 0
    for character in value:
        if not _is_letter(character):
            masked.append(character)
            continue
        if position in differs and first is None:
            first = len(masked)
        if position in shown:
            masked.append(character)
        else:
            masked.append(DIFFERENT if position in differs else SAME)
        position += 1
    return _window("".join(masked), first or 0)


def _window(masked: str, first: int) -> str:
    """At most LONGEST characters around position `first`, with ``…`` where something is cut."""
    if len(masked) <= LONGEST:
        return masked
    low = max(0, min(first - LONGEST // 3, len(masked) - LONGEST))
    high = low + LONGEST
    return ("…" if low else "") + masked[low:high] + ("…" if high < len(masked) else "")
