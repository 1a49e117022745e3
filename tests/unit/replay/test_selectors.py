"""Selectors of plans, read or refused."""

from __future__ import annotations

import pytest

from replay.sandbox.selectors import SelectorNotUnderstoodError, parse_selector


@pytest.mark.parametrize(
    ("text", "tag", "attributes"),
    [
        ("input[name='name']", "input", {"name": "name"}),
        ('textarea[name="description"]', "textarea", {"name": "description"}),
        ("button[type=submit]", "button", {"type": "submit"}),
        ("#submit-btn", None, {"id": "submit-btn"}),
        (
            "input.wide.tall#x[type='url']",
            "input",
            {"class": "wide tall", "id": "x", "type": "url"},
        ),
        ("INPUT[Name='A b']", "input", {"name": "A b"}),
        ("[data-x]", None, {"data-x": ""}),
        ("#first, input[name='second']", None, {"id": "first"}),
        ("input[name='a, b > c']", "input", {"name": "a, b > c"}),
        ("input[name='it\"s']", "input", {"name": 'it"s'}),
    ],
)
def test_an_element_is_what_its_selector_asks_for(
    text: str, tag: str | None, attributes: dict[str, str]
) -> None:
    path = parse_selector(text)
    assert path.element.tag == tag
    assert dict(path.element.attributes) == attributes
    assert path.ancestors == ()


@pytest.mark.parametrize(
    "text", ["form#add .row > input[name='x']", "form#add  .row>input[name=x]"]
)
def test_ancestors_come_outermost_first(text: str) -> None:
    path = parse_selector(text)
    assert [(one.tag, dict(one.attributes)) for one in path.ancestors] == [
        ("form", {"id": "add"}),
        (None, {"class": "row"}),
    ]
    assert path.element.get("name") == "x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "*",
        "input:first-child",
        "text=Send",
        "//input",
        "input[name^='a']",
        "a + b",
        "a ~ b",
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str) -> None:
    with pytest.raises(SelectorNotUnderstoodError, match="selector"):
        parse_selector(text)
