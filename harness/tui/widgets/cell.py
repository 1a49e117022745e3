"""A piece of text that is laid out again only when it has changed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from harness.tui.wording import STATE_CLASSES


class Cell(Static):
    """Shows content as it is: square brackets in a text are never taken for markup."""

    def __init__(
        self,
        content: Content | str = "",
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        self._shown = _content(content)
        super().__init__(self._shown, id=id, classes=classes)

    def show(self, content: Content | str) -> None:
        """Paint `content`; does nothing if it already stands there."""
        wanted = _content(content)
        if not wanted.is_same(self._shown):
            self._shown = wanted
            self.update(wanted)

    def state(self, name: str | None) -> None:
        """Set the one state class that counts; None takes all away."""
        for each in STATE_CLASSES:
            self.set_class(each == name, each)


def _content(content: Content | str) -> Content:
    return Content(content) if isinstance(content, str) else content
