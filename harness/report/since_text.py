"""What changed since a former report, in titled lines: for the terminal and for Markdown.

Pure text without escapes: each format escapes for itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.gates.shown import decision_line, points, share, status_line
from harness.model import GateStatus
from harness.report.said import more
from harness.report.since import (
    AgreementMove,
    Change,
    ClusterMove,
    FindingMove,
    GateMove,
    RuleMove,
    Said,
    Since,
)
from harness.report.wording import moment

MOST = 10
"""So many rows of a kind are told; the JSON has all."""
_FIGURES = {
    "by_job": "by job",
    "by_submission": "by submission",
    "without_rules": "by job, without rules",
    "with_excluded": "by job, with the pairs that rules set apart",
    "fresh": "by job, on fresh jobs only",
}
_WORDS = {"new": "new: ", "gone": "gone: ", "changed": ""}
Block = tuple[str, list[str]]
"""A title and its lines."""


def title_of(since: Since) -> str:
    """``✕ NO-GO → ~ UNDECIDED since seq 1,200 (…)``; ``still ✕ NO-GO`` where it stayed."""
    before, after = decision_line(since.before.decision), decision_line(since.after.decision)
    words = f"{before} → {after}" if since.moved else f"still {after}"
    return f"{words} since seq {since.before.seq:,} ({moment(since.before.as_of)})"


def lines_of(since: Since) -> list[str]:
    """All blocks as lines for a terminal."""
    lines: list[str] = []
    for title, rows in blocks_of(since):
        lines += [title, *(f"  {row}" for row in rows)]
    return lines


def blocks_of(since: Since) -> list[Block]:
    """Why the decision moved, then each kind of change; what did not change is left out."""
    blocks: list[Block] = [
        (f"What changed: {title_of(since)}", list(since.why)),
        ("Gates that moved", [gate(one) for one in since.gates]),
        ("Agreement that moved", [agreement(one) for one in since.agreement]),
        ("Clusters that moved", _cut(cluster(one) for one in since.clusters)),
        ("Findings that moved", _cut(finding(one) for one in since.findings)),
        ("Rules that moved", _cut(rule(one) for one in since.rules)),
        ("Said since", _cut(spoken(one) for one in since.said)),
        (
            "Not looked at",
            [f"now: {part}" for part in since.missing_new]
            + [f"no longer: {part}" for part in since.missing_gone],
        ),
        (
            "Not told by the former report, so compared with nothing",
            [", ".join(since.untold)] if since.untold else [],
        ),
    ]
    return [(title, rows) for title, rows in blocks if rows]


def gate(move: GateMove) -> str:
    """``Zero data loss (shadow.zero_loss): ✕ Fail → ✓ Pass; 2 lost → none``."""
    values = _arrow(move.value_before, move.value_after)
    words = f"{_arrow(_status(move.status_before), _status(move.status_after))}; {values}"
    apart = "" if move.decides else " (decides nothing)"
    return f"{_WORDS[move.change]}{move.title} ({move.gate}){apart}: {words}"


def agreement(move: AgreementMove) -> str:
    """``by job: 96.2 % (60 jobs) → 97.0 % (80 jobs)``."""

    def side(value: float | None, n: int | None) -> str | None:
        return None if n is None else f"{share(value)} ({n:,} {move.unit})"

    return (
        f"{_FIGURES.get(move.figure, move.figure)}: "
        f"{_arrow(side(move.before, move.n_before), side(move.after, move.n_after))}"
    )


def cluster(move: ClusterMove) -> str:
    """``new: Candidate failed (1a2b3c4d, live): 4 differences, 0.96 points``."""
    sizes = _moved(move.change, f"{move.size_before:,}", f"{move.size_after:,}")
    costs = _moved(move.change, f"{points(move.cost_before)}", f"{points(move.cost_after)}")
    return (
        f"{_WORDS[move.change]}{move.title} ({move.id}, {move.mode}): {sizes} differences, {costs} "
        "of agreement"
    )


def finding(move: FindingMove) -> str:
    """``gone: critical, Lost after its message was taken (live): 1 → 0 cases``."""
    return (
        f"{_WORDS[move.change]}{move.severity.value}, {move.title} ({move.mode}): "
        f"{_moved(move.change, f'{move.cases_before:,}', f'{move.cases_after:,}')} cases"
    )


def rule(move: RuleMove) -> str:
    """``phone-format: version 1 → 2; hides 3 → 4 differences``."""
    versions = ""
    if move.version_before != move.version_after:
        before, after = (
            None if one is None else f"version {one}"
            for one in (move.version_before, move.version_after)
        )
        versions = f"{_arrow(before, after)}; "
    return (
        f"{_WORDS[move.change]}{move.name}: {versions}hides "
        f"{_moved(move.change, f'{move.hidden_before:,}', f'{move.hidden_after:,}')} differences"
    )


def spoken(one: Said) -> str:
    """``waiver shadow.complaints said by Ana Ruiz (seq 4,301): support reads the inbox``."""
    text = f": {one.text}" if one.text else ""
    by = f"{'said by' if one.change == 'said' else one.change + ', once said by'} {one.by}"
    return f"{one.what} {one.name} {by} (seq {one.seq:,}){text}"


def _status(status: GateStatus | None) -> str | None:
    return None if status is None else status_line(status)


def _arrow(before: str | None, after: str | None) -> str:
    if before == after:
        return f"{after}"
    return f"{before or 'not there'} → {after or 'gone'}"


def _moved(change: Change, before: str, after: str) -> str:
    """Only the side that is there of what is new or gone."""
    if change == "new":
        return after
    return before if change == "gone" else _arrow(before, after)


def _cut(rows: Iterable[str]) -> list[str]:
    found = list(rows)
    return found[:MOST] + more(len(found), MOST)
