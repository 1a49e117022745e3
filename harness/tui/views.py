"""Saved views of the differences: a name for a filter, an order and a grouping. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.tui.listing import SORTS, Order
from harness.tui.state import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """What the table shows and how."""

    filter: str = ""
    order: Order = field(default_factory=Order)
    grouped: bool = False

    def as_json(self) -> dict[str, JsonValue]:
        """What `view_from` reads back."""
        return {
            "filter": self.filter,
            "sort": self.order.by,
            "descending": self.order.descending,
            "grouped": self.grouped,
        }


def view_from(state: Mapping[str, JsonValue]) -> SavedView:
    """A view from a file that may be damaged: what is of a wrong kind is left out."""
    text, by = state.get("filter"), state.get("sort")
    return SavedView(
        filter=text if isinstance(text, str) else "",
        order=Order(
            by=by if isinstance(by, str) and by in SORTS else None,
            descending=state.get("descending") is True,
        ),
        grouped=state.get("grouped") is True,
    )


def views_from(state: JsonValue) -> dict[str, SavedView]:
    """Name and view of each; nothing where there is no such object."""
    if not isinstance(state, dict):
        return {}
    return {name: view_from(one) for name, one in state.items() if isinstance(one, dict) and name}


def view_words(view: SavedView) -> str:
    """A view on one line."""
    parts = [view.filter or "all"]
    if view.order.by:
        parts.append(f"by {view.order.by}{', reversed' if view.order.descending else ''}")
    elif view.order.descending:
        parts.append("reversed")
    if view.grouped:
        parts.append("grouped by cause")
    return " · ".join(parts)
