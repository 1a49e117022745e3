"""One line that names the cause which costs most agreement, wherever its list is out of sight."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from harness.assessment import Cluster
from harness.gates.wording import counted
from harness.model import LIVE
from harness.tui.widgets.cell import Cell
from harness.tui.wording import plain, whose


def costliest_first(clusters: Iterable[Cluster]) -> list[Cluster]:
    """Those of production before those of replays, each by the agreement that they cost."""
    return sorted(clusters, key=lambda one: (one.mode != LIVE, -one.cost))


class CauseLine(Cell):
    """What to look at next, and the key that shows it."""

    def show_clusters(self, clusters: tuple[Cluster, ...]) -> None:
        """Name the first of these, as `costliest_first` has them."""
        if not clusters:
            self.show(Content.styled("No difference.", "$secondary"))
            return
        first = costliest_first(clusters)[0]
        said = f"[{first.triage.label.value}] " if first.triage else ""
        # The title may be longer than the line; what it costs must not be cut off.
        share = f"{100.0 * first.cost_share:.0f} % of the lost agreement"
        self.show(
            Content.assemble(
                (f"cause 1 of {len(clusters)}: {share}  ", "$secondary"),
                ("m", "bold"),
                f" {whose(first)}{said}{plain(first.title)}",
                (f"  {counted(first.size, 'difference')}", "$secondary"),
            )
        )
