"""Reads the selectors of a plan, so that a page can be made that they match. Pure.

Understands what plans contain: a tag, ``#id``, ``.class`` and ``[attribute='value']`` in any
combination, ancestors, and lists, of which the first alternative is taken. Anything else is
refused by name: a page that a plan cannot find its way in would blame the worker for our guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(
    r"""(?P<tag>^[a-zA-Z][\w-]*)
      | \#(?P<id>[\w-]+)
      | \.(?P<class>[\w-]+)
      | \[\s*(?P<attr>[\w-]+)\s*(?:=\s*(?P<value>"[^"]*"|'[^']*'|[\w.:/-]+)\s*)?\]
    """,
    re.VERBOSE,
)
_OUTSIDE_QUOTES = r"(?=(?:[^'\"\[\]]|'[^']*'|\"[^\"]*\"|\[[^\]]*\])*$)"


class SelectorNotUnderstoodError(ValueError):
    """No page can be made that surely matches this selector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element that a selector asks for."""

    tag: str | None
    """None where the selector leaves it open."""
    attributes: tuple[tuple[str, str], ...]
    """Id, classes and attributes in the order they were written; one ``class`` at most."""

    def get(self, name: str) -> str | None:
        """The value of an attribute, None where the selector does not ask for it."""
        return dict(self.attributes).get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """An element and the ancestors it is to be found in, outermost first."""

    ancestors: tuple[Element, ...]
    element: Element


def parse_selector(text: str) -> Path:
    """Read the first alternative of `text`; SelectorNotUnderstoodError names what is foreign."""
    first = re.split(r"\s*," + _OUTSIDE_QUOTES, text.strip())[0]
    compounds = re.split(r"\s*>\s*" + _OUTSIDE_QUOTES + r"|\s+" + _OUTSIDE_QUOTES, first.strip())
    elements = [_parse_compound(compound, text) for compound in compounds]
    return Path(ancestors=tuple(elements[:-1]), element=elements[-1])


def _parse_compound(compound: str, whole: str) -> Element:
    position, tag, classes = 0, None, []
    attributes: dict[str, str] = {}
    while position < len(compound):
        # The tag is anchored at the start, everything else continues where the last part ended.
        part = _PART.match(compound, position)
        if part is None:
            raise SelectorNotUnderstoodError(f"selector {whole!r}: {compound[position:]!r}")
        if part["tag"]:
            tag = part["tag"].lower()
        elif part["id"]:
            attributes["id"] = part["id"]
        elif part["class"]:
            classes.append(part["class"])
        else:
            attributes[part["attr"].lower()] = (part["value"] or "").strip("'\"")
        position = part.end()
    if not position:
        raise SelectorNotUnderstoodError(f"selector {whole!r} is empty")
    if classes:
        attributes["class"] = " ".join([*classes, *attributes.pop("class", "").split()])
    return Element(tag=tag, attributes=tuple(attributes.items()))
