"""Strips a saved page down to its form: what a worker sees of it, and nothing of anybody. Pure.

Works by what is let through: an element or attribute that is not named here is dropped. Names of
people in plain text cannot be told from other words, so whoever captures a page reads it once.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

_KEPT = frozenset({
    "html", "head", "title", "body", "main", "header", "footer", "nav", "section", "article",
    "div", "p", "span", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd",
    "table", "thead", "tbody", "tr", "td", "th", "form", "fieldset", "legend", "label", "input",
    "select", "option", "optgroup", "textarea", "button", "br", "hr", "strong", "em", "b", "i",
    "small", "a",
})  # fmt: skip
_WITH_CONTENT = {
    "script": "scripts", "style": "styles", "noscript": "scripts", "template": "templates",
    "svg": "pictures", "math": "pictures", "iframe": "frames", "object": "frames",
    "video": "pictures", "audio": "pictures", "canvas": "pictures",
}  # fmt: skip
_ALONE = {
    "link": "external resources", "img": "external resources", "source": "external resources",
    "embed": "external resources", "base": "external resources", "meta": "meta elements",
}  # fmt: skip
_VOID = frozenset({"input", "br", "hr"})
_ATTRIBUTES = frozenset({
    "id", "name", "class", "for", "type", "placeholder", "required", "multiple", "rows", "cols",
    "maxlength", "minlength", "min", "max", "step", "pattern", "title", "role", "lang",
    "aria-label", "aria-labelledby", "aria-required", "label", "disabled",
})  # fmt: skip
_PROSE = frozenset({"placeholder", "title", "aria-label", "label", "value"})
_ELSEWHERE = frozenset({"src", "srcset", "href", "action", "formaction", "poster", "data", "ping"})
_FIXED_VALUES = frozenset({"checkbox", "radio", "submit", "button", "reset"})
_CAPTCHA = re.compile(r"\b(?:g-recaptcha|h-captcha|cf-turnstile)\b")
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"(?:https?:)?//[^\s\"'<>]+")
_PHONE = re.compile(r"(?<![\w.-])(?:\+|\(?0|\(\d)?[\d(][\d ()./-]{6,20}\d(?![\w-])")
_DIGITS = 8
"""A number with fewer digits is no telephone number."""


@dataclass(slots=True, kw_only=True)
class Control:
    """One element that a visitor fills in or presses."""

    tag: str
    kind: str
    name: str
    id: str
    hints: str
    """Words around it that tell what it is for."""
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Stripped:
    """A page that holds nothing but its form."""

    html: str
    title: str
    controls: list[Control]
    captcha: bool
    dropped: Counter[str] = field(default_factory=Counter)
    """What was left out, and how often."""


def strip_page(html: str) -> Stripped:
    """Return what may be kept of `html`; its controls are those of the form with the most of them.

    Controls outside every form count as a form of their own, as pages made by scripts have them.
    """
    counted = _Counter()
    counted.feed(html)
    counted.close()
    parser = _Stripper(counted.main)
    parser.feed(html)
    parser.close()
    return parser.result()


def scrub(text: str, dropped: Counter[str], *, phones: bool = True) -> str:
    """Put neutral values in place of e-mail addresses, web addresses and telephone numbers.

    phones: False for names of fields, of which some forms have nothing but a number.
    """

    def phone(match: re.Match[str]) -> str:
        if sum(c.isdigit() for c in match[0]) < _DIGITS:
            return match[0]
        dropped["telephone numbers"] += 1
        return "+1 555 010 0000"

    text, emails = _EMAIL.subn("name@site.example", text)
    text, addresses = _ADDRESS.subn("site.example", text)
    dropped["e-mail addresses"] += emails
    dropped["web addresses"] += addresses
    return _PHONE.sub(phone, text) if phones else text


def _fillable(tag: str, attributes: dict[str, str]) -> bool:
    kind = attributes.get("type", "text").lower()
    return tag in ("select", "textarea") or (
        tag == "input" and kind not in ("hidden", "submit", "button", "reset", "image")
    )


class _Counter(HTMLParser):
    """Counts the controls of each form."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[int] = Counter()
        self._forms = 0
        self._current = 0

    @property
    def main(self) -> int:
        """Number of the form with the most controls, from 1; 0 for what is in none."""
        return max(self._counts, key=lambda n: (self._counts[n], -n), default=0)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self._forms += 1
            self._current = self._forms
        elif _fillable(tag, {name: value or "" for name, value in attrs}):
            self._counts[self._current] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._current = 0


class _Stripper(HTMLParser):
    """Writes what is kept, in one pass."""

    def __init__(self, main: int) -> None:
        super().__init__()
        self._main = main
        self._forms = 0
        self._out: list[str] = []
        self._inside: str | None = None
        """The element whose whole content is left out."""
        self._depth = 0
        self._in_textarea = self._in_title = False
        self._title: list[str] = []
        self._words: list[str] = []
        self._label_for: dict[str, str] = {}
        self._label: tuple[str, list[str]] | None = None
        self._captcha = False
        self._dropped: Counter[str] = Counter()
        self._controls: list[Control] = []

    def result(self) -> Stripped:
        """What was kept."""
        for control in self._controls:
            control.hints += f" {self._label_for.get(control.id, '')}"
        body = "".join(self._out)
        if self._main == 0:
            # Nothing but the whole page holds all of the controls.
            body = f'<form method="post" novalidate>{body}</form>'
        return Stripped(
            html=f'<!doctype html><meta charset="utf-8">{body}\n',
            title=" ".join("".join(self._title).split()),
            controls=self._controls,
            captcha=self._captcha,
            dropped=+self._dropped,
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, str] = {}
        for name, value in attrs:
            # As browsers do it: of an attribute that is given twice the first counts.
            given.setdefault(name, value or "")
        if self._inside == tag == "form":
            # Forms do not nest: the one before was never closed.
            self._inside = None
        if self._inside is not None:
            self._depth += tag == self._inside
            return
        if _CAPTCHA.search(given.get("class", "")) or "captcha" in given.get("title", "").lower():
            self._captcha = True
        if tag == "form":
            self._open_form()
        elif tag in _WITH_CONTENT:
            self._dropped[_WITH_CONTENT[tag]] += 1
            self._inside, self._depth = tag, 1
        elif tag in _ALONE:
            self._dropped[_ALONE[tag]] += 1
        elif tag == "input" and given.get("type", "").lower() == "hidden":
            self._dropped["hidden fields"] += 1
        elif tag in _KEPT and tag not in ("html", "body", "head"):
            self._keep(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if self._inside is not None:
            self._depth -= tag == self._inside
            if not self._depth:
                self._inside = None
            return
        if tag == "label" and self._label is not None:
            self._label_for[self._label[0]] = " ".join(self._label[1])
            self._label = None
        self._in_textarea = self._in_textarea and tag != "textarea"
        self._in_title = self._in_title and tag != "title"
        if tag == "form":
            if self._main and self._forms == self._main:
                self._out.append("</form>")
        elif tag in _KEPT - _VOID and tag not in ("html", "body", "head"):
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            return
        if self._in_textarea:
            self._dropped["values"] += bool(data.strip())
            return
        text = scrub(data, self._dropped)
        if self._in_title:
            self._title.append(text)
        if self._label is not None:
            self._label[1].append(text.strip())
        self._words = [*self._words[-2:], text.strip()] if text.strip() else self._words
        self._out.append(escape(text, quote=False))

    def handle_comment(self, data: str) -> None:
        self._dropped["comments"] += 1

    def _open_form(self) -> None:
        self._forms += 1
        if self._main and self._forms == self._main:
            # It posts to where it stands; whether a value is good is the record's word.
            self._out.append('<form method="post" novalidate>')
        elif self._main:
            self._dropped["other forms"] += 1
            self._inside, self._depth = "form", 1

    def _keep(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "submit" if tag == "button" else "text").lower()
        kept = {name: value for name, value in given.items() if name in _ATTRIBUTES}
        fixed = kind in _FIXED_VALUES if tag in ("input", "button") else tag == "option"
        for name in given:
            if name.startswith("on"):
                self._dropped["event handlers"] += 1
            elif name in _ELSEWHERE:
                self._dropped["addresses"] += 1
            elif name == "value" and fixed:
                kept["value"] = given["value"]
            elif name == "value":
                self._dropped["values"] += bool(given["value"])
        if _CAPTCHA.search(given.get("class", "")):
            kept["data-sitekey"] = "sandbox"
        if tag == "button":
            kept["type"] = kind
        kept = {
            name: scrub(value, self._dropped, phones=name in _PROSE) for name, value in kept.items()
        }
        shown = "".join(f' {name}="{escape(value, quote=True)}"' for name, value in kept.items())
        self._out.append(f"<{tag}{shown}>")
        self._note(tag, kind, kept)

    def _note(self, tag: str, kind: str, kept: dict[str, str]) -> None:
        if tag == "label":
            self._label = (kept.get("for", ""), [])
        self._in_textarea = self._in_textarea or tag == "textarea"
        self._in_title = self._in_title or tag == "title"
        if tag == "option" and self._controls and kept.get("value"):
            self._controls[-1].choices += (kept["value"],)
        if tag in ("input", "select", "textarea", "button"):
            hints = (kept.get(name, "") for name in ("placeholder", "aria-label", "title", "value"))
            near = self._words[-1] if self._words else ""
            self._controls.append(
                Control(
                    tag=tag,
                    kind=kind,
                    name=kept.get("name", ""),
                    id=kept.get("id", ""),
                    hints=" ".join(filter(None, (*hints, near))),
                    required="required" in kept,
                )
            )
