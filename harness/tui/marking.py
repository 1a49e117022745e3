"""Two texts beside each other with the characters marked that only one of them has. Pure."""

from __future__ import annotations

from textual.content import Content

from harness.compare.kinds import LATENCY
from harness.compare.marks import parts
from harness.tui.wording import value_text

ONLY_CONTROL, ONLY_CANDIDATE = "$error underline", "$success underline"
"""Underlined, so that it is seen without colour."""


def marked_pair(field: str, control: str | None, candidate: str | None) -> tuple[Content, Content]:
    """Both values as they are shown. A latency stands beside its ceiling: nothing to align."""
    left, right = value_text(control), value_text(candidate)
    if field == LATENCY or control is None or candidate is None:
        return Content(left), Content(right)
    pieces = parts(left, right)
    return (
        Content.assemble(*((p.control, "" if p.same else ONLY_CONTROL) for p in pieces)),
        Content.assemble(*((p.candidate, "" if p.same else ONLY_CANDIDATE) for p in pieces)),
    )
