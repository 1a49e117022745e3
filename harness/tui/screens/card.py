"""Screens that bear keys and clicks which come faster than they close and fill."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

R = TypeVar("R")


class SteadyScreen(Screen[R]):
    """A second Esc finds it closed, a click on what has just been taken away finds nothing."""

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Close, if it is in front: else it would take the one below, or the last one."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """What stands there; nothing where it is only painted still."""
        widget, offset = super().get_widget_and_offset_at(x, y)
        there = isinstance(widget, Screen) or (widget is not None and widget.is_attached)
        return (widget, offset) if there else (None, None)


class Card(ModalScreen[R], SteadyScreen[R]):
    """A screen above others that keeps their keys from them."""
