"""What an archetype is: the form that a kind of site has, and how it leads to it. Pure.

An archetype says how a form is reached and sent; the condition says what becomes of it. Both
together with a seed are a site, which keeps state for one visit and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.model import PlanStep
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply, Site
from replay.sandbox.forms import Field, Form
from replay.sandbox.pages import REFUSED, answers, reply_after, reply_before, script_of

EVERY_CONDITION = tuple(Condition)
SEND = '<p><button type="submit">Send</button></p>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one site is made from."""

    form: Form
    condition: Condition
    job_id: str = ""
    directory: str = ""
    seed: int = 0
    attempt: int = 1
    """Which visit of this submission it is."""


class FormSite:
    """A site whose form stands on one page and is answered as the condition says."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.form = stage.form
        self.condition = stage.condition

    def answer(self, hit: Hit) -> Reply | None:
        """Show the form, or what stands in its way; judge what is posted to it."""
        if not answers(self.condition, hit):
            return None
        before = reply_before(self.condition, self.form, hit)
        if before is not None:
            return before
        return self.receive(hit) if hit.method == "POST" else self.show(hit)

    def show(self, hit: Hit) -> Reply | None:
        """The page that a visitor sees."""
        return Reply(body=self.form.page(after=script_of(self.condition)))

    def receive(self, hit: Hit) -> Reply | None:
        """What becomes of a form that was sent."""
        return self.judge(hit.values)

    def judge(self, values: Mapping[str, str]) -> Reply:
        """What the condition says of these values, if none that is required is empty."""
        if any(not values.get(name, "").strip() for name in self.form.required):
            return Reply(body=REFUSED)
        return reply_after(self.condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetype:
    """A kind of directory site."""

    name: str
    """As it is asked for: lower case, words joined by ``_``."""
    title: str
    """What it is like, one sentence without its full stop."""
    make: Callable[[Stage], Site] = FormSite
    fields: tuple[Field, ...] = ()
    """Of its own form; a recorded plan brings its own."""
    path: str = "/submit"
    """Where its own form stands."""
    conditions: tuple[Condition, ...] = EVERY_CONDITION
    """What it can play; a wall plays one."""
    heading: str = "Add a business"
    submit: str = "button[type='submit']"
    """What sends its own form."""
    saved: str | None = None
    """Its own page, where that was saved from a real one."""

    def form(self) -> Form:
        """Its own form."""
        return Form(
            paths=frozenset({self.path}),
            fields=(*(field.html() for field in self.fields), SEND),
            required=frozenset(field.name for field in self.fields if field.required),
            title=self.heading,
            saved=self.saved,
        )

    def plan(self, host: str, business: Mapping[str, str]) -> tuple[PlanStep, ...]:
        """A plan that its own form accepts, if the condition lets it."""
        return (
            PlanStep(action="goto", url=f"https://{host}{self.path}"),
            *(field.step(business) for field in self.fields),
            PlanStep(action="click", selector=self.submit),
            PlanStep(action="wait", until="networkidle"),
        )
