"""Makes the site that one recorded plan would meet. Pure: text in, text out; no server, no clock.

The form has exactly the fields that the plan fills, selects and clicks, at the address that the
plan visits. What the site answers follows the recorded condition and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from harness.model import Order, PlanStep
from replay.sandbox.conditions import Condition
from replay.sandbox.selectors import (
    Element,
    Path,
    SelectorNotUnderstoodError,
    parse_selector,
)

WORDS_OF_SUCCESS = ("success", "thank you", "submitted", "received")
"""What the candidate's judge looks for; a plain refusal must not contain any of them."""

_HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Add a business</title>'
_ACCEPTED = f"""{_HEAD}<main><h1>Thank you</h1>
<p class="confirmation">Your listing was received and will be reviewed.</p></main>"""
# No style, no script, no address and no value of the listing: each could carry such a word.
_REFUSED = f"""{_HEAD}<main><h1>Please check your entry</h1>
<p class="problem">This listing cannot be added.</p></main>"""
_REFUSED_MISLEADING = f"""{_HEAD}<style>.success{{color:green}} .problem{{color:red}}</style>
<main><h1>Please check your entry</h1><p class="problem">This listing cannot be added.</p></main>"""
_CAPTCHA = f"""{_HEAD}<main><h1>One more step</h1>
<div class="g-recaptcha" data-sitekey="sandbox">Please show that you are human.</div></main>"""
_NOT_FOUND = f"{_HEAD}<main><h1>Not found</h1></main>"

_VOID = frozenset({"input"})
_CLICKED_TYPES = frozenset({"checkbox", "radio"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request that reached a site."""

    method: str
    host: str
    path: str
    query: str
    content_type: str
    body: bytes

    @property
    def values(self) -> dict[str, str]:
        """Form values by field name; the last one counts where a name occurs twice.

        Forms send line breaks as CRLF; undone here, so that what was typed equals what arrived.
        """
        if not self.content_type.startswith("application/x-www-form-urlencoded"):
            return {}
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: value.replace("\r\n", "\n") for name, value in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a site answers."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    accepts: bool = False
    """The site stored a listing."""


class Site(Protocol):
    """One directory's site as one submission meets it."""

    def answer(self, hit: Hit) -> Reply | None:
        """Answer a request; None means that no answer ever comes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSite:
    """The site of one recorded plan under one recorded condition."""

    paths: frozenset[str]
    """Where the form stands."""
    form: str
    """HTML of the page with the form."""
    condition: Condition

    def answer(self, hit: Hit) -> Reply | None:
        """Show the form, or what stands in its way; judge what is posted to it."""
        if self.condition is Condition.SLOW:
            return None
        if hit.path not in self.paths:
            return Reply(body=_NOT_FOUND, status=404)
        if self.condition is Condition.CAPTCHA:
            return Reply(body=_CAPTCHA)
        if hit.method != "POST":
            return Reply(body=self.form)
        match self.condition:
            case Condition.ACCEPTED:
                return Reply(body=_ACCEPTED, accepts=True)
            case Condition.REFUSED_MISLEADING:
                return Reply(body=_REFUSED_MISLEADING)
            case _:
                return Reply(body=_REFUSED)


SiteMaker = Callable[[Order, Condition], Site]
"""Makes the site of one submission."""


def make_site(order: Order, condition: Condition) -> RecordedSite:
    """Return the site that `order`'s plan fits.

    Raises SelectorNotUnderstoodError if no page can be made that surely fits it.
    """
    visited = [step.url for step in order.plan if step.action == "goto" and step.url]
    posted = [urljoin(url, action) for url in visited for action in _form_actions(order.plan)]
    if {_address(url)[0] for url in posted} - {_address(url)[0] for url in visited}:
        raise SelectorNotUnderstoodError("the form of this plan belongs to another site")
    return RecordedSite(
        paths=frozenset(_address(url)[2] for url in visited + posted),
        form=_form_page(order.plan),
        condition=condition,
    )


def authorities_of(order: Order) -> frozenset[tuple[str, int]]:
    """Hosts and ports that belong to this submission's site; everything else is outside."""
    named = {(order.directory, 443), (f"www.{order.directory}", 443)}
    named |= {_address(step.url)[:2] for step in order.plan if step.action == "goto" and step.url}
    return frozenset((_ascii(host), n) for host, port in named if host for n in (80, 443, port))


def _address(url: str) -> tuple[str, int, str]:
    """Host, port and path of a URL, the path as a server sees it; empty where there is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or 443, unquote(parts.path) or "/"
    except ValueError:
        return "", 443, "/"


def _ascii(host: str) -> str:
    """The host as a browser writes it."""
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        return host.lower()


def _form_actions(plan: Sequence[PlanStep]) -> list[str]:
    """Where the forms post to that the plan's selectors ask for."""
    found = []
    for step in plan:
        if step.selector:
            path = parse_selector(step.selector)
            found += [element.get("action") for element in (*path.ancestors, path.element)]
    return [action for action in found if action]


def _form_page(plan: Sequence[PlanStep]) -> str:
    steps = [step for step in plan if step.selector]
    last_click = max((n for n, s in enumerate(steps) if s.action == "click"), default=None)
    form_attributes: dict[str, str] = {}
    fields: dict[str, str] = {}
    for number, step in enumerate(steps):
        path = parse_selector(step.selector or "")
        for ancestor in path.ancestors:
            if ancestor.tag == "form":
                form_attributes.update(ancestor.attributes)
        key = (step.selector or "").strip()
        if key not in fields or step.action != "click":
            fields[key] = _within(path, _field(path.element, step, sends=number == last_click))
    inside = "\n".join(fields.values())
    # Whether a value is good is the record's word, not the browser's: hence novalidate.
    attributes = _attributes({**form_attributes, "method": "post"})
    return (
        f"{_HEAD}<main><h1>Add a business</h1>\n<form{attributes} novalidate>\n{inside}\n"
        "</form></main>"
    )


def _field(element: Element, step: PlanStep, *, sends: bool) -> str:
    attributes = dict(element.attributes)
    name = attributes.get("name") or attributes.get("id")
    if step.action == "click":
        return _clicked(element, attributes, sends=sends)
    if step.action == "select":
        tag = element.tag or "select"
        value = escape(step.value or "", quote=True)
        inner = f'<option value=""></option><option value="{value}">{value}</option>'
    else:
        tag, inner = element.tag or "input", ""
    if name:
        attributes["name"] = name
    return _element(tag, attributes, inner)


def _clicked(element: Element, attributes: dict[str, str], *, sends: bool) -> str:
    if attributes.get("type") in _CLICKED_TYPES:
        return _element(element.tag or "input", attributes, "")
    tag = element.tag or "button"
    wanted = attributes.setdefault("type", "submit" if sends else "button")
    if sends and not (tag in ("button", "input") and wanted in ("submit", "image")):
        attributes["onclick"] = "this.closest('form').requestSubmit(); return false"
    elif not sends and wanted == "submit":
        # A later click sends the form; this one must not.
        attributes["onclick"] = "return false"
    return _element(tag, attributes, "" if tag in _VOID else "Send" if sends else "Next")


def _within(path: Path, html: str) -> str:
    for ancestor in reversed(path.ancestors):
        if ancestor.tag in ("form", "body", "html", "main"):
            continue
        html = _element(ancestor.tag or "div", dict(ancestor.attributes), html)
    return html


def _element(tag: str, attributes: Mapping[str, str], inner: str) -> str:
    opened = f"<{tag}{_attributes(attributes)}>"
    return opened if tag in _VOID else f"{opened}{inner}</{tag}>"


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(value, quote=True)}"' for name, value in attributes.items())
