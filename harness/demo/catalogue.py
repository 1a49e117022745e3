"""Reads the invented directories of ``fixtures/directories.toml``; knows no job and no actor."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.resources import resource


class Archetype(StrEnum):
    """What a directory's site is like."""

    GENERIC = "generic"
    """One page, ten fields, two of them selects."""
    ADD_BUSINESS = "add_business"
    """``/add-business``: everything required but the description."""
    MINIMAL = "minimal"
    """Name, address of the site and description."""
    HOSTED_FORM = "hosted_form"
    """A form service with opaque field names."""
    EMAIL_VERIFICATION = "email_verification"
    """Accepts, and asks to look into the inbox."""
    LOGIN_WALL = "login_wall"
    CAPTCHA = "captcha"
    BLOCKED = "blocked"
    """An anti-bot page, or nothing where the form should be."""
    SLOW = "slow"
    """Never quite loaded."""

    @property
    def troubled(self) -> bool:
        """Whether both sides may honestly fail there."""
        return self in _TROUBLED


_TROUBLED = frozenset({Archetype.LOGIN_WALL, Archetype.CAPTCHA, Archetype.BLOCKED, Archetype.SLOW})


class Directory(BaseModel):
    """One invented directory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(pattern=r"^[a-z0-9-]+\.(example|test)$")
    name: str
    url: str
    archetype: Archetype
    category: str
    control_s: float = Field(gt=0)
    refusal: Literal["plain", "styled"] = "plain"
    """``styled``: the refusing page carries the word "success" in its style sheet."""


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid")

    directory: tuple[Directory, ...]


def load_directories() -> tuple[Directory, ...]:
    """Return the shipped directories, in the order of the file."""
    text = resource("fixtures/directories.toml").read_text(encoding="utf-8")
    return _Catalogue.model_validate(tomllib.loads(text)).directory
