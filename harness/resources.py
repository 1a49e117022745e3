"""Finds the SQL and fixture files, from a checkout and from an installed wheel alike.

A wheel carries ``sql/`` and ``fixtures/`` inside the package; a checkout keeps them beside it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_NAME_LINE = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


def resource(path: str) -> Traversable:
    """Return the shipped file or folder at `path`, such as ``sql/journal/schema.sql``."""
    package = files("harness")
    inside = package.joinpath(path)
    if inside.is_file() or inside.is_dir():
        return inside
    beside = package.joinpath("..").joinpath(path)
    if beside.is_file() or beside.is_dir():
        return beside
    raise FileNotFoundError(f"{path} is not part of this installation")


def package_text(path: str) -> str:
    """Return the text of a file that stands beside the code, such as a shipped rules file."""
    return files("harness").joinpath(path).read_text(encoding="utf-8")


@cache
def sql_text(path: str) -> str:
    """Return the SQL file at `path` below ``sql/``."""
    return resource(f"sql/{path}").read_text(encoding="utf-8")


@cache
def sql_queries(path: str) -> dict[str, str]:
    """Return the statements of a file by the names in its ``-- name:`` lines.

    Raises ValueError if a name occurs twice or text stands before the first name.
    """
    parts = _NAME_LINE.split(sql_text(path))
    if parts[0].strip() and not all(
        line.startswith("--") or not line.strip() for line in parts[0].splitlines()
    ):
        raise ValueError(f"{path}: a statement stands before the first '-- name:' line")
    queries: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in queries:
            raise ValueError(f"{path}: the name {name} occurs twice")
        queries[name] = body.strip()
    return queries
