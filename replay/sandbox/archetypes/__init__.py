"""Every kind of directory site that the sandbox can play, by name."""

from __future__ import annotations

from collections.abc import Iterable

from replay.sandbox.archetypes.base import Archetype, FormSite, Stage
from replay.sandbox.archetypes.duplicate_listing import DUPLICATE_LISTING
from replay.sandbox.archetypes.fixed import FIXED
from replay.sandbox.archetypes.flaky import FLAKY
from replay.sandbox.archetypes.iframe import IFRAME
from replay.sandbox.archetypes.moved_selectors import MOVED_SELECTORS
from replay.sandbox.archetypes.plain import ADD_BUSINESS, HOSTED_FORM, MINIMAL, SINGLE_PAGE
from replay.sandbox.archetypes.script_rendered import SCRIPT_RENDERED
from replay.sandbox.archetypes.wizard import WIZARD

__all__ = ["ARCHETYPES", "Archetype", "FormSite", "Stage", "by_name"]


def by_name(archetypes: Iterable[Archetype]) -> dict[str, Archetype]:
    """The archetypes by name; ValueError if one occurs twice."""
    found: dict[str, Archetype] = {}
    for one in archetypes:
        if one.name in found:
            raise ValueError(f"the archetype {one.name} occurs twice")
        found[one.name] = one
    return found


ARCHETYPES = by_name(
    (
        SINGLE_PAGE,
        ADD_BUSINESS,
        MINIMAL,
        HOSTED_FORM,
        *FIXED,
        DUPLICATE_LISTING,
        WIZARD,
        IFRAME,
        SCRIPT_RENDERED,
        MOVED_SELECTORS,
        FLAKY,
    )
)
