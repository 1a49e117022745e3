"""A named text that is a figure of the JSON report."""

from __future__ import annotations

from collections.abc import Iterator

from harness.tui.widgets.figures import Figure
from harness.tui.widgets.named import Named


class NamedFigure(Named):
    """A name and a figure beside it; hidden while it has nothing to say."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._figure: Figure | None = None
        self.display = False

    def show_figure(self, path: str, text: str | None) -> None:
        """Paint `text`, which stands at `path` in the JSON report; None or "" hides the line."""
        self.display = bool(text)
        self._figure = Figure(path, text) if text else None
        self.show(text or "")

    @property
    def figures(self) -> Iterator[Figure]:
        """The figure, while it is shown."""
        if self._figure is not None:
            yield self._figure
