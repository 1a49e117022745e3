"""A site that was rebuilt: the same form, but every name, id and class is another."""

from __future__ import annotations

import re
from dataclasses import replace

from replay.sandbox.archetypes.base import Archetype, FormSite, Stage
from replay.sandbox.archetypes.plain import FIVE

_NAMED = re.compile(r'\b(name|id|class)="([^"]*)"')


class MovedSite(FormSite):
    """Finds nothing where the plan looks."""

    def __init__(self, stage: Stage) -> None:
        moved = tuple(_NAMED.sub(r'\1="\2-2"', field) for field in stage.form.fields)
        # What was required is asked for under a name that nobody knows.
        form = replace(stage.form, fields=moved, required=frozenset())
        super().__init__(replace(stage, form=form))


MOVED_SELECTORS = Archetype(
    name="moved_selectors",
    title="Rebuilt since the plan was made: no name, id or class is what it was",
    make=MovedSite,
    fields=FIVE,
)
