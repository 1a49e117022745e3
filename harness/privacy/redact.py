"""Redacts events that belong together by a policy: their columns and their payloads. Pure.

Works in two passes: the first learns every personal value of the rows, the second rewrites them and
takes those values out of whatever stays.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.privacy.fakes import Faker, Shape, shape_of
from harness.privacy.policy import Action, Policy
from harness.privacy.scrub import Scrubber, is_time

_FIELD = re.compile(r"""(?:name=['"]?|#)([A-Za-z0-9_-]+)""")
_GONE = object()
_LIKE_A_PHONE = 7
"""A number of so many digits is looked at like a text."""
_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The columns of one event that may tell something of a person."""

    kind: str
    key: str
    job_id: str | None
    directory: str | None
    payload: str
    """JSON."""


class Redactor:
    """Redacts under one policy and one secret, and counts what it does."""

    def __init__(
        self, policy: Policy, faker: Faker, *, public_hosts: frozenset[str] = frozenset()
    ) -> None:
        """public_hosts: directories that several customers use."""
        self._policy = policy
        self._faker = faker
        self._public_hosts = public_hosts
        self.counts: Counter[Action] = Counter()
        """Values by what happened to them."""
        self.unknown: Counter[str] = Counter()
        """Fields that no rule names, with how often they were dropped."""

    def redact(self, rows: Sequence[Row]) -> list[Row]:
        """The rows of one customer, redacted, in the same order."""
        scrubber = Scrubber(self._faker, public_hosts=self._public_hosts)
        payloads = [json.loads(row.payload) for row in rows]
        for row, payload in zip(rows, payloads, strict=True):
            if row.job_id is not None:
                scrubber.learn_name(row.job_id, self._faker.identifier(row.job_id))
            if row.directory is not None:
                scrubber.learn_directory(row.directory)
            self._learn(scrubber, row.kind, payload)
        return [
            self._row(scrubber, row, payload) for row, payload in zip(rows, payloads, strict=True)
        ]

    def _row(self, scrubber: Scrubber, row: Row, payload: Any) -> Row:
        new = self._value(scrubber, row.kind, (), payload, Shape.GUESS)
        return replace(
            row,
            key=f"{row.kind}:{self._faker.identifier(row.key)}",
            job_id=None if row.job_id is None else self._faker.identifier(row.job_id),
            directory=None if row.directory is None else scrubber.scrub(row.directory),
            payload=_json({} if new is _GONE else new),
        )

    def _learn(self, scrubber: Scrubber, table: str, payload: Any) -> None:
        for path, shape, leaf in _leaves((), payload, Shape.GUESS):
            if isinstance(leaf, bool) or not isinstance(leaf, str | int | float):
                continue
            text = str(leaf)
            match self._policy.action(table, path):
                case Action.HASH:
                    scrubber.learn_name(text, self._faker.identifier(text))
                case Action.FAKE:
                    scrubber.learn(text, shape)
                case Action.DROP | None if isinstance(leaf, str):
                    scrubber.learn(text, Shape.GUESS)

    def _value(self, scrubber: Scrubber, table: str, path: _Path, value: Any, shape: Shape) -> Any:
        """The redacted value, or _GONE."""
        action = self._policy.action(table, path)
        if action is Action.DROP:
            self.counts[Action.DROP] += 1
            return _GONE
        if isinstance(value, dict):
            new = {
                self._name(scrubber, name): self._value(
                    scrubber, table, (*path, name), item, _shape(name, value)
                )
                for name, item in value.items()
            }
            return {name: item for name, item in new.items() if item is not _GONE}
        if isinstance(value, list):
            items = (self._value(scrubber, table, path, item, shape) for item in value)
            return [item for item in items if item is not _GONE]
        if action is None and value is not None:
            self.unknown[_shown(table, path)] += 1
            return _GONE
        return self._leaf(scrubber, action, value, shape)

    def _leaf(self, scrubber: Scrubber, action: Action | None, value: Any, shape: Shape) -> Any:
        if value is None or action is None or isinstance(value, bool) or value == "":
            return value
        self.counts[action] += 1
        text = isinstance(value, str)
        match action:
            case Action.HASH:
                return self._faker.identifier(str(value))
            case Action.FAKE if text:
                return self._faker.fake(value, shape)
            case Action.FAKE:
                return self._faker.number(value, shape)
            case Action.WORDS if text and not is_time(value):
                return scrubber.words(value)
            case Action.KEEP if text:
                return scrubber.scrub(value)
            case _ if not text and len(str(value)) >= _LIKE_A_PHONE:
                digits = scrubber.scrub(str(value))
                return value if digits == str(value) else digits
            case _:
                return value

    def _name(self, scrubber: Scrubber, name: str) -> str:
        return name if name in self._policy.names else scrubber.scrub(name)


def _leaves(path: _Path, value: Any, shape: Shape) -> Iterable[tuple[_Path, Shape, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves((*path, name), item, _shape(name, value))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(path, item, shape)
    else:
        yield path, shape, value


def _shape(name: str, inside: dict[str, Any]) -> Shape:
    """Of a field; what a step types has the shape of the form's field that it types into."""
    selector = inside.get("selector")
    if name == "value" and isinstance(selector, str):
        field = _FIELD.search(selector)
        return shape_of(field[1]) if field else Shape.GUESS
    return shape_of(name)


def _shown(table: str, path: _Path) -> str:
    """An unknown field as the manifest names it: a column, never a name from inside a value."""
    return ".".join((table, *path[:1])) + (".*" if len(path) > 1 else "")


def _json(value: Any) -> str:
    """One text per value, as the journal writes it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()
