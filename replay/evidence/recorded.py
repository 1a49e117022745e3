"""The page that a site shows under the recorded condition. Pure: order in, HTML out.

Nothing recorded the page that the control saw. What the record shows is what the site did; this is
the page that stands for it in the sandbox.
"""

from __future__ import annotations

from urllib.parse import unquote, urlencode, urlsplit

from harness.model import Order
from replay.sandbox.conditions import Condition
from replay.sandbox.selectors import parse_selector
from replay.sandbox.sites import Hit, Site


def recorded_page(order: Order, condition: Condition, site: Site) -> str | None:
    """The last page of a visit that does all that the plan says; None if no answer comes.

    site: a fresh one, which this visits.
    """
    url = next((step.url for step in order.plan if step.action == "goto" and step.url), "")
    parts = urlsplit(url)
    sends = condition is not Condition.CAPTCHA
    reply = site.answer(
        Hit(
            method="POST" if sends else "GET",
            host=parts.hostname or order.directory,
            path=unquote(parts.path) or "/",
            query=parts.query,
            content_type="application/x-www-form-urlencoded" if sends else "",
            body=urlencode(_values(order)).encode() if sends else b"",
        )
    )
    return reply.body if reply is not None else None


def _values(order: Order) -> dict[str, str]:
    """What the plan types, by the name of the field."""
    values = {}
    for step in order.plan:
        if step.action in ("fill", "select") and step.selector:
            element = parse_selector(step.selector).element
            name = element.get("name") or element.get("id")
            if name:
                values[name] = step.value or ""
    return values
