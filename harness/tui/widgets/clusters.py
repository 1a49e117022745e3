"""The clusters of differences that cost most agreement; choosing one filters the differences."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from harness.assessment import Cluster
from harness.gates.wording import counted
from harness.tui.widgets.options import Options
from harness.tui.wording import clock, plain, whose


class ClusterList(Options):
    """One line a cluster; below them more about the highlighted one."""

    BORDER_TITLE = "Clusters: differences, share of the lost agreement"

    @dataclass
    class Chosen(Message):
        """A cluster was chosen, to see its differences."""

        list: ClusterList
        cluster: Cluster

        @property
        def control(self) -> ClusterList:
            """Where it happened."""
            return self.list

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="panel", markup=False)
        self._clusters: tuple[Cluster, ...] | None = None

    def show(self, clusters: tuple[Cluster, ...]) -> None:
        """Paint `clusters`; the highlighted one stays highlighted."""
        if clusters == self._clusters:
            return
        chosen = self._id_at(self.highlighted)
        self._clusters = clusters
        self.border_subtitle = counted(len(clusters), "cluster") if clusters else ""
        self.clear_options()
        if not clusters:
            self.add_option(Option(Content.styled("No difference.", "$secondary"), disabled=True))
            return
        self.add_options([Option(_line(cluster), id=cluster.id) for cluster in clusters])
        if any(cluster.id == chosen for cluster in clusters):
            self.highlighted = self.get_option_index(str(chosen))

    @property
    def target(self) -> Cluster | None:
        """The cluster under the cursor."""
        at = self._id_at(self.highlighted)
        return next((one for one in self._clusters or () if one.id == at), None)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        for cluster in self._clusters or ():
            if cluster.id == event.option_id:
                self.post_message(self.Chosen(self, cluster))

    @on(OptionList.OptionHighlighted)
    def _tell_more(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        for cluster in self._clusters or ():
            if cluster.id == event.option_id:
                self.border_subtitle = _more(cluster)

    def _id_at(self, index: int | None) -> str | None:
        return None if index is None else self.get_option_at_index(index).id


def _line(cluster: Cluster) -> Content:
    said = f"[{cluster.triage.label.value}] " if cluster.triage else ""
    return Content.assemble(
        (f"{cluster.size:>4,}", "$primary bold"),
        (f" {100.0 * cluster.cost_share:>3.0f} %  {whose(cluster)}", "$secondary"),
        (said, "$secondary bold"),
        plain(cluster.title),
    )


def _more(cluster: Cluster) -> str:
    """Id, precision, when it was last seen and the gates that it endangers."""
    parts = [cluster.id, f"{cluster.size:,} of {cluster.compared:,}"]
    if cluster.last_seen:
        parts.append(f"last {clock(cluster.last_seen)}")
    if cluster.gates:
        parts.append(f"endangers {counted(len(cluster.gates), 'gate')}")
    return ", ".join(parts)
