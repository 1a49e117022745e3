"""Archetypes that were made from a saved page: a folder with ``page.html`` and ``archetype.toml``.

The only module of this package that reads files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SettingsError
from replay.sandbox.archetypes.base import Archetype
from replay.sandbox.forms import Field as FormField

PAGE, FACTS = "page.html", "archetype.toml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,27}")
"""What an archetype may be called."""

_Text = Annotated[str, Field(max_length=2000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SavedField(_Strict):
    """One field of the page."""

    name: _Text
    tag: Literal["input", "select", "textarea"]
    kind: _Text = "text"
    meaning: _Text = ""
    """Which value of a business belongs there; empty where nobody could tell."""
    choice: _Text = ""
    """What a plan selects in a list."""
    required: bool = False


class Success(_Strict):
    """How the real site tells that it took a listing; for people, the sandbox has its own page."""

    selector: _Text = ""
    words: tuple[_Text, ...] = ()


class SavedFacts(_Strict):
    """What ``archetype.toml`` says."""

    title: _Text
    path: Annotated[str, Field(pattern=r"^/", max_length=2000)] = "/submit"
    submit: _Text = "button[type='submit']"
    captcha: bool = False
    success: Success = Success()
    field: tuple[SavedField, ...] = ()


def load_archetypes(folder: Path, known: Mapping[str, Archetype]) -> dict[str, Archetype]:
    """Read every archetype below `folder`, by the name of its own folder.

    Raises SettingsError that names the file, the key and the mend.
    """
    if not folder.is_dir():
        raise SettingsError(f"archetypes = {folder}: there is no such folder.")
    places = sorted(path.parent for path in folder.glob(f"*/{FACTS}"))
    if not places:
        raise SettingsError(
            f"archetypes = {folder}: no folder in it has an {FACTS}. "
            "Make one: shadow sandbox capture PAGE.html --name NAME --out DIR"
        )
    found = {}
    for place in places:
        if place.name in known:
            raise SettingsError(
                f"{place}: {place.name} is an archetype of the sandbox's own. Rename the folder."
            )
        found[place.name] = load_archetype(place)
    return found


def load_archetype(place: Path) -> Archetype:
    """Read one archetype. Raises SettingsError that names the file, the key and the mend."""
    if not NAME.fullmatch(place.name):
        raise SettingsError(
            f"{place}: the folder's name is the archetype's. "
            "Use lower-case letters, digits and underscores, a letter first, 28 at most."
        )
    facts = _read_facts(place / FACTS)
    try:
        page = (place / PAGE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{place / PAGE}: not readable: {error}. Capture it again.") from error
    return Archetype(
        name=place.name,
        title=facts.title,
        path=facts.path,
        submit=facts.submit,
        saved=page,
        fields=tuple(
            FormField(
                name=field.name,
                value=f"={field.choice}" if field.tag == "select" else field.meaning,
                tag=field.tag,
                kind=field.kind,
                required=field.required,
            )
            for field in facts.field
        ),
    )


def _read_facts(path: Path) -> SavedFacts:
    try:
        return SavedFacts.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: not readable: {error}. Capture it again.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {key}: {first['msg'].lower()}. Mend it by hand.") from error
