"""A framed part of a screen that the keys can reach, so that it can be scrolled into view."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

STEP_BINDINGS: tuple[Binding, ...] = (
    Binding("down,j", "app.focus_next", "Next", show=False),
    Binding("up,k", "app.focus_previous", "Previous", show=False),
)
"""Up and down go from part to part, as on a page."""


class Panel(Vertical, can_focus=True):
    """A titled frame."""

    BINDINGS: ClassVar[list[BindingType]] = [*STEP_BINDINGS]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="panel")
