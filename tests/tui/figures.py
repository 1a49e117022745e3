"""Which figures of the JSON report each screen shows: a registry that a screen joins by an entry.

Every `Figures` and `NamedFigure` of a screen is looked at by itself. A widget that paints figures
in another way is taught in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from harness.tui.widgets.agreement import AgreementPanel
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.figures import Figure, Figures
from harness.tui.widgets.gates import GateRow
from harness.tui.widgets.latency import LatencyPanel
from harness.tui.widgets.named_figure import NamedFigure
from tests.tui.support import key_of

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Registered:
    """One screen."""

    key: str
    """Which opens it."""
    least: tuple[str, ...]
    """Names that must be among its figures whenever the report has a value there."""


REGISTRY = {
    "overview": Registered(
        key=key_of("overview"),
        least=(
            "agreement.by_job.value", "gates.0.value_text",
            "gates.0.evidence_text", "latency.0.control.0.value_s", "latency.0.candidate.2.value_s",
            "operations.traffic.admitted_per_h", "operations.traffic.candidate_per_h",
            "operations.traffic.control_backlog", "operations.traffic.candidate_backlog",
            "operations.queue.depth", "operations.queue.dlq_depth", "operations.prefect.running",
            "operations.prefect.healthy", "operations.workers.running", "operations.workers.stale",
            "recording.complete_until", "recording.lag_s", "recording.recorder.lock_retries",
        ),
    ),
    # Its figures are those of single jobs, which the report does not list; their sum is tested.
    "jobs": Registered(key=key_of("jobs"), least=()),
    "gates": Registered(
        key=key_of("gates"),
        least=(
            "gates.0.reason", "gates.0.value_text", "gates.0.threshold_text",
            "gates.0.evidence_text", "gates.0.owner", "gates.0.when_red",
            "gates.0.definition.statistic", "gates.0.definition.comparison",
        ),
    ),
    "health": Registered(
        key=key_of("health"),
        least=(
            "recording.recorder.session", "recording.recorder.lock_retries",
            "recording.recorder.sweep_cost_ms", "recording.recorder.tick_cost_ms",
            "recording.marks.0.lag_s", "recording.samplers.0.samples", "recording.events",
            "recording.drifts", "recording.gaps.0", "provenance.journal_hash",
        ),
    ),
}  # fmt: skip


def at_path(report: Report, path: str) -> Any:
    """What stands in the report at a path; None where it ends early."""
    here: Any = report
    left = path.split(".")
    while left and here is not None:
        if isinstance(here, list):
            place = int(left.pop(0))
            here = here[place] if place < len(here) else None
            continue
        # A kind of event has a full stop of its own.
        whole = ".".join(left)
        if whole in here:
            return here[whole]
        here = here.get(left.pop(0))
    return here


def figures_of(screen: Screen[Any], report: Report) -> list[Figure]:
    """Every figure that stands on `screen`, as its widgets hold it."""
    found: list[Figure] = []
    for widget in screen.query("*"):
        if not widget.display:
            continue
        if isinstance(widget, Figures | NamedFigure):
            words = " ".join(_words(widget))
            for one in widget.figures:
                assert " ".join(one.text.split()) in words, (one, words)
                found.append(one)
        for kind, read in READERS.items():
            if isinstance(widget, kind):
                found += read(widget, report)
    return found


def _words(widget: Widget) -> Iterable[str]:
    cells = [widget, *widget.query(Cell)] if not isinstance(widget, Cell) else [widget]
    for cell in cells:
        if isinstance(cell, Cell):
            yield from str(cell.render()).split()


def _gate_row(widget: Widget, report: Report) -> list[Figure]:
    assert isinstance(widget, GateRow)
    identifiers = [gate["gate"] for gate in report["gates"]]
    here = f"gates.{identifiers.index(widget.gate.gate)}"

    def cell(name: str) -> str:
        return str(widget.query_one(f".{name}", Cell).render())

    return [
        Figure(f"{here}.value_text", cell("value")),
        Figure(f"{here}.evidence_text", cell("evidence")),
    ]


def _agreement(widget: Widget, report: Report) -> list[Figure]:
    now = widget.query_one(".now", Cell)
    beside = widget.query_one(".beside", Cell)
    if not now.display:
        return []
    words, more = str(now.render()), str(beside.render())
    share, _, rest = words.partition(" of ")
    one, _, other = more.removeprefix("by submission ").partition(", without rules ")
    return [
        Figure("agreement.by_job.value", share),
        Figure("agreement.by_job.n", rest.partition(",")[0]),
        Figure("agreement.by_submission.value", one),
        Figure("agreement.without_rules.value", other),
    ]


def _latency(widget: Widget, report: Report) -> list[Figure]:
    """Numbers of jobs stand in the frame."""
    if not widget.border_subtitle:
        return []
    words = Content.from_markup(str(widget.border_subtitle)).plain
    old, _, new = words.partition(", ")
    return [Figure("latency.0.control_n", old), Figure("latency.0.candidate_n", new)]


READERS: dict[type[Widget], Callable[[Widget, Report], list[Figure]]] = {
    GateRow: _gate_row,
    AgreementPanel: _agreement,
    LatencyPanel: _latency,
}
