"""Completes the last word of the filter line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.suggester import Suggester

from harness.tui.filtering import complete


class FilterSuggester(Suggester):
    """Knows the names of the parts, and the values that the assessment shown has."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.values: Mapping[str, Sequence[str]] = {}

    async def get_suggestion(self, value: str) -> str | None:
        """`value` with its last word completed."""
        return complete(value, self.values)
