"""A form in several steps: each is a page of its own, and the last one stores the listing.

What was entered is carried on in hidden fields, and a token that only the page before knew keeps
a step from being left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from harness.model import PlanStep
from replay.sandbox.archetypes.base import SEND, Archetype, FormSite, Stage
from replay.sandbox.archetypes.plain import DESCRIPTION, EMAIL, NAME, PHONE, WEBSITE
from replay.sandbox.exchange import Hit, Reply
from replay.sandbox.forms import Form, element_of
from replay.sandbox.pages import REFUSED, script_of

_STEP, _TOKEN = "_step", "_token"
_NEXT = '<p><button type="button" id="next">Next</button></p>'


class WizardSite(FormSite):
    """Shows the fields of the form in groups."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._steps = _groups(stage.form)

    def show(self, hit: Hit) -> Reply:
        """The first step."""
        return self._page(0, {})

    def receive(self, hit: Hit) -> Reply:
        """The next step, or after the last one what becomes of the whole."""
        values = hit.values
        step, token = values.pop(_STEP, ""), values.pop(_TOKEN, "")
        number = int(step) if step.isdecimal() and len(step) < 4 else len(self._steps)
        if number >= len(self._steps) or token != self._token(number):
            return Reply(body=REFUSED, status=400)
        if number + 1 < len(self._steps):
            return self._page(number + 1, values)
        return self.judge(values)

    def _page(self, number: int, so_far: Mapping[str, str]) -> Reply:
        kept = {**so_far, _STEP: str(number), _TOKEN: self._token(number)}
        hidden = (
            element_of("input", {"type": "hidden", "name": name, "value": value}, "")
            for name, value in kept.items()
        )
        fields = (*hidden, *self._steps[number])
        return Reply(body=self.form.page(fields=fields, after=script_of(self.condition)))

    def _token(self, number: int) -> str:
        stage = self.stage
        secret = f"{stage.seed}:{stage.job_id}:{stage.directory}:{stage.attempt}:{number}"
        return hashlib.blake2b(secret.encode(), digest_size=8).hexdigest()


def _groups(form: Form) -> list[tuple[str, ...]]:
    """The fields of each step: up to what the plan clicks to go on; else in two halves."""
    fields = list(form.fields)
    breaks = list(form.breaks)
    if not breaks:
        middle = max(1, len(fields) // 2)
        fields.insert(middle, _NEXT)
        breaks = [middle]
    for number in breaks:
        # What goes on here was made to do nothing on a page that has all fields at once.
        fields[number] = element_of(
            "div", {"onclick": "this.closest('form').requestSubmit()"}, fields[number]
        )
    edges = [0, *(number + 1 for number in breaks), len(fields)]
    groups = [tuple(fields[start:end]) for start, end in pairwise(edges)]
    return [group for group in groups if group]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wizard(Archetype):
    """Its own form has a button to go on after the third field."""

    def form(self) -> Form:
        html = [field.html() for field in self.fields]
        return Form(
            paths=frozenset({self.path}),
            fields=(*html[:3], _NEXT, *html[3:], SEND),
            breaks=(3,),
            title=self.heading,
        )

    def plan(self, host: str, business: Mapping[str, str]) -> tuple[PlanStep, ...]:
        steps = Archetype.plan(self, host, business)
        return (*steps[:4], PlanStep(action="click", selector="#next"), *steps[4:])


WIZARD = _Wizard(
    name="wizard",
    title="Two steps, each a page of its own; the second stores the listing",
    make=WizardSite,
    fields=(NAME, EMAIL, PHONE, WEBSITE, DESCRIPTION),
)
