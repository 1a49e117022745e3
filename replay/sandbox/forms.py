"""The HTML of a form, made from a recorded plan or from a list of fields. Pure: text only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import unquote, urljoin, urlsplit

from harness.model import Order, PlanStep
from replay.sandbox.selectors import (
    Element,
    Path,
    SelectorNotUnderstoodError,
    parse_selector,
)

HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Add a business</title>'

_VOID = frozenset({"input"})
_CLICKED_TYPES = frozenset({"checkbox", "radio"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that a plan can be carried out on."""

    paths: frozenset[str]
    """Where it stands and where it posts to."""
    fields: tuple[str, ...]
    """HTML of each element, in the plan's order; the one that sends is among them."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of the form element; the method is always post."""
    breaks: tuple[int, ...] = ()
    """Numbers of the fields that are clicked to go on, but do not send the form."""
    required: frozenset[str] = frozenset()
    """Names of the fields without which nothing is stored."""
    title: str = "Add a business"
    saved: str | None = None
    """The whole page, where it was saved from a real one."""

    def page(self, *, fields: Sequence[str] | None = None, after: str = "") -> str:
        """The page with the form. fields: these in place of all; after: HTML below the form."""
        if self.saved is not None:
            return self.saved + after
        inside = "\n".join(self.fields if fields is None else fields)
        # Whether a value is good is the record's word, not the browser's: hence novalidate.
        attributes = attributes_of({**self.attributes, "method": "post"})
        return (
            f"{HEAD}<main><h1>{escape(self.title)}</h1>\n<form{attributes} novalidate>\n{inside}\n"
            f"</form>{after}</main>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form that no plan tells of."""

    name: str
    value: str
    """What a plan for this form fills in: a field of the business, or a fixed choice with ``=``."""
    label: str = ""
    tag: str = "input"
    kind: str = "text"
    """Type of an input."""
    choices: tuple[str, ...] = ()
    required: bool = False

    @property
    def selector(self) -> str:
        """What a plan finds it by."""
        return f"{self.tag}[name='{self.name}']"

    def html(self) -> str:
        """The element below its label."""
        attributes = {"id": f"f-{self.name}", "name": self.name}
        if self.tag == "input":
            attributes["type"] = self.kind
        if self.required:
            attributes["required"] = ""
        inner = "".join(
            element_of("option", {"value": choice}, escape(choice or "Please choose"))
            for choice in (("", *self.choices) if self.choices else ())
        )
        label = element_of("label", {"for": attributes["id"]}, escape(self.label or self.name))
        return f"<p>{label}{element_of(self.tag, attributes, inner)}</p>"

    def step(self, business: Mapping[str, str]) -> PlanStep:
        """The step of a plan that fills it."""
        known = self.value.startswith("=")
        value = self.value[1:] if known else business.get(self.value, "")
        action = "select" if self.tag == "select" else "fill"
        return PlanStep(action=action, selector=self.selector, value=value)


def form_of(order: Order) -> Form:
    """Return the form that has exactly what the order's plan fills, selects and clicks.

    Raises SelectorNotUnderstoodError if no page can be made that surely fits it.
    """
    visited = [step.url for step in order.plan if step.action == "goto" and step.url]
    posted = [urljoin(url, action) for url in visited for action in _form_actions(order.plan)]
    if {address_of(url)[0] for url in posted} - {address_of(url)[0] for url in visited}:
        raise SelectorNotUnderstoodError("the form of this plan belongs to another site")
    steps = [step for step in order.plan if step.selector]
    last_click = max((n for n, s in enumerate(steps) if s.action == "click"), default=None)
    form_attributes: dict[str, str] = {}
    fields: dict[str, str] = {}
    going_on: list[str] = []
    for number, step in enumerate(steps):
        path = parse_selector(step.selector or "")
        for ancestor in path.ancestors:
            if ancestor.tag == "form":
                form_attributes.update(ancestor.attributes)
        key = (step.selector or "").strip()
        if key not in fields or step.action != "click":
            fields[key] = _within(path, _field(path.element, step, sends=number == last_click))
        ticks = path.element.get("type") in _CLICKED_TYPES
        if step.action == "click" and number != last_click and not ticks:
            going_on.append(key)
    places = list(fields)
    return Form(
        paths=frozenset(address_of(url)[2] for url in visited + posted),
        fields=tuple(fields.values()),
        attributes=form_attributes,
        breaks=tuple(sorted({places.index(key) for key in going_on})),
    )


def address_of(url: str) -> tuple[str, int, str]:
    """Host, port and path of a URL, the path as a server sees it; empty where there is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or 443, unquote(parts.path) or "/"
    except ValueError:
        return "", 443, "/"


def element_of(tag: str, attributes: Mapping[str, str], inner: str) -> str:
    """One element; `inner` is HTML."""
    opened = f"<{tag}{attributes_of(attributes)}>"
    return opened if tag in _VOID else f"{opened}{inner}</{tag}>"


def attributes_of(attributes: Mapping[str, str]) -> str:
    """Attributes as they stand in a tag."""
    return "".join(f' {name}="{escape(value, quote=True)}"' for name, value in attributes.items())


def _form_actions(plan: Sequence[PlanStep]) -> list[str]:
    """Where the forms post to that the plan's selectors ask for."""
    found = []
    for step in plan:
        if step.selector:
            path = parse_selector(step.selector)
            found += [element.get("action") for element in (*path.ancestors, path.element)]
    return [action for action in found if action]


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
    return element_of(tag, attributes, inner)


def _clicked(element: Element, attributes: dict[str, str], *, sends: bool) -> str:
    if attributes.get("type") in _CLICKED_TYPES:
        return element_of(element.tag or "input", attributes, "")
    tag = element.tag or "button"
    wanted = attributes.setdefault("type", "submit" if sends else "button")
    if sends and not (tag in ("button", "input") and wanted in ("submit", "image")):
        attributes["onclick"] = "this.closest('form').requestSubmit(); return false"
    elif not sends and wanted == "submit":
        # A later click sends the form; this one must not.
        attributes["onclick"] = "return false"
    return element_of(tag, attributes, "" if tag in _VOID else "Send" if sends else "Next")


def _within(path: Path, html: str) -> str:
    for ancestor in reversed(path.ancestors):
        if ancestor.tag in ("form", "body", "html", "main"):
            continue
        html = element_of(ancestor.tag or "div", dict(ancestor.attributes), html)
    return html
