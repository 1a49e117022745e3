"""The operator's page keeps its word: what it links to is there, and so is each test it names."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [DOCS / "recording.md", DOCS / "deploy" / "README.md"]
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def _links(page: Path) -> list[tuple[str, str]]:
    return _LINK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = _links(page)
    assert links
    for _, target in links:
        assert "://" not in target, "the page needs no network"
        assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_test_that_is_named_exists() -> None:
    (page, *_) = PAGES
    named = [(text, target) for text, target in _links(page) if "::" in text]
    assert len(named) > 20
    for text, target in named:
        file, _, test = text.partition("::")
        path = page.parent / target
        assert path.name == file, text
        functions = {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert test in functions, text


def test_the_picture_is_sound_and_says_in_words_what_it_shows() -> None:
    root = ElementTree.parse(DOCS / "recording.svg").getroot()
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"title", "desc"} <= names
    assert not names & {"image", "script", "foreignObject"}, "nothing is fetched"
