"""Prints what the doctor found, to be read at 80 columns with or without colour.

What is to be pasted stands on lines of its own and is never wrapped.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator

import click

from harness.doctor.check import Check, Diagnosis, Status, Subject

_SIGNS = {
    Status.OK: ("✓", "OK", "green"),
    Status.WARN: ("!", "LOOK", "yellow"),
    Status.FAIL: ("✗", "MISSING", "red"),
    Status.SKIPPED: ("·", "not asked", "bright_black"),
}
_INDENT = " " * 14
_WIDEST = 100
_NARROWEST = 60


class DoctorPrinter:
    """Prints checks as they are made, with a heading before the first of each subject."""

    def __init__(self) -> None:
        self._subject: Subject | None = None
        self._width = 80
        if sys.stdout.isatty():
            self._width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))

    def check(self, check: Check) -> None:
        """Print one check."""
        if check.subject is not self._subject:
            _echo(("" if self._subject is None else "\n") + click.style(check.subject, bold=True))
            self._subject = check.subject
        sign, word, colour = _SIGNS[check.status]
        first, *rest = self._wrapped(f"{check.name}: {check.found}")
        _echo(click.style(f"  {sign} {word:<9} ", fg=colour) + first.removeprefix(_INDENT))
        detail = [line for text in check.detail for line in self._wrapped(text, hang="  ")]
        for line in (*rest, *detail, *self._mend(check)):
            _echo(line)

    def verdict(self, diagnosis: Diagnosis) -> None:
        """Print the last sentence."""
        colour = "green" if diagnosis.ready else "red"
        lines = textwrap.wrap(diagnosis.verdict, self._width, break_long_words=False)
        _echo("\n" + click.style("\n".join(lines), fg=colour, bold=True))

    def _mend(self, check: Check) -> Iterator[str]:
        if check.mend:
            yield from self._wrapped(f"→ {check.mend}")
        for where, lines in (("in psql, as the owner", check.sql), ("in this shell", check.shell)):
            if lines:
                yield f"{_INDENT}{where}:"
                for text in lines:
                    yield from (f"    {line}" for line in text.splitlines())

    def _wrapped(self, text: str, *, hang: str = "") -> list[str]:
        return textwrap.wrap(
            text,
            self._width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT + hang,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _echo(text: str) -> None:
    # None: colour on a terminal only.
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)
