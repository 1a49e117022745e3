"""Makes the site that one recorded plan would meet. Pure: text in, text out; no server, no clock.

The form has exactly the fields that the plan fills, selects and clicks, at the address that the
plan visits. What the site answers follows the recorded condition and nothing else; how its form is
reached is that of an archetype, where the record tells of one or the caller names one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from harness.model import Order
from replay.sandbox.archetypes import ARCHETYPES, Archetype, FormSite, Stage
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply, Site
from replay.sandbox.forms import address_of, form_of
from replay.sandbox.pages import WORDS_OF_SUCCESS

__all__ = [
    "WORDS_OF_SUCCESS",
    "Hit",
    "Reply",
    "Site",
    "SiteMaker",
    "archetype_of",
    "authorities_of",
    "make_site",
]

SiteMaker = Callable[[Order, Condition], Site]
"""Makes the site of one submission."""

_ADD_BUSINESS = re.compile(r"/add-business(?:\.\w+)?/?")
_OPAQUE = re.compile(r"\[\s*name\s*=\s*['\"]?entry\.\d+")


def make_site(
    order: Order,
    condition: Condition,
    archetype: Archetype | None = None,
    *,
    seed: int = 0,
    attempt: int = 1,
) -> Site:
    """Return the site that `order`'s plan fits.

    archetype: how the form is reached; None for what the record tells, else a single page.
    seed, attempt: of what is not always the same, such as a flaky site.
    Raises SelectorNotUnderstoodError if no page can be made that surely fits it.
    """
    stage = Stage(
        form=form_of(order),
        condition=condition,
        job_id=order.job_id,
        directory=order.directory,
        seed=seed,
        attempt=attempt,
    )
    kind = archetype or archetype_of(order)
    if kind is None:
        return FormSite(stage)
    form = replace(stage.form, title=kind.heading)
    if kind.saved is not None:
        # A real page has its own fields, whatever the plan looks for; it stands where that looks.
        form = replace(kind.form(), paths=stage.form.paths)
    return kind.make(replace(stage, form=form))


def archetype_of(order: Order) -> Archetype | None:
    """The archetype that a plan's address and names tell of; None where they do not.

    It changes how the page looks, never what the record says of it.
    """
    if any(_OPAQUE.search(step.selector or "") for step in order.plan):
        return ARCHETYPES["hosted_form"]
    visited = [step.url for step in order.plan if step.action == "goto" and step.url]
    if any(_ADD_BUSINESS.fullmatch(address_of(url)[2]) for url in visited):
        return ARCHETYPES["add_business"]
    return None


def authorities_of(order: Order) -> frozenset[tuple[str, int]]:
    """Hosts and ports that belong to this submission's site; everything else is outside."""
    named = {(order.directory, 443), (f"www.{order.directory}", 443)}
    named |= {address_of(step.url)[:2] for step in order.plan if step.action == "goto" and step.url}
    return frozenset((_ascii(host), n) for host, port in named if host for n in (80, 443, port))


def _ascii(host: str) -> str:
    """The host as a browser writes it."""
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        return host.lower()
