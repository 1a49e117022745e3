"""Prints rows: a table on a terminal, tab-separated text for everything else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def print_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, brief: Sequence[str]
) -> None:
    """Print `columns` of `rows`, one line each, below a line of names.

    A terminal gets the `brief` columns only, wrapped to its width.
    """
    if on_terminal():
        _print_table(rows, brief)
        return
    click.echo("\t".join(columns))
    for row in rows:
        click.echo("\t".join(cell(row.get(name)) for name in columns))


def cell(value: Any) -> str:
    """`value` as one field of a line: nothing for None, lists joined, no tab and no line break."""
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return " ".join(text.split())


def _print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Text, not str: a value in brackets must not be read as markup.
        table.add_row(*(Text(cell(row.get(name))) for name in columns))
    Console().print(table)
