"""What passes between a worker's browser and a site: hits and replies. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl


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

    @property
    def asked(self) -> dict[str, str]:
        """The query by name."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a site answers."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    accepts: bool = False
    """The site stored a listing."""
    delay_s: float = 0.0
    """How long the site takes before the first byte."""


class Site(Protocol):
    """One directory's site as one submission meets it."""

    def answer(self, hit: Hit) -> Reply | None:
        """Answer a request; None means that no answer ever comes."""
        ...
