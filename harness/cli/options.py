"""Options that mean the same in every command, and how their text becomes a value."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.settings import Settings, load_settings, parse_duration_s

F = TypeVar("F", bound=Callable[..., Any])


class DurationType(click.ParamType):
    """Seconds, written as ``30s``, ``500ms``, ``10m`` or a number."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return parse_duration_s(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)


class MomentType(click.ParamType):
    """A seq, an ISO time (UTC where no zone is given), or ``-2h`` before the last event."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | datetime | timedelta:
        text = str(value).strip()
        if re.fullmatch(r"\d+", text):
            return int(text)
        if text.startswith("-"):
            try:
                return timedelta(seconds=parse_duration_s(text[1:]))
            except ValueError:
                pass
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is no moment. Give a seq (1200), a time (2026-11-20T14:05) or -2h.",
                param,
                ctx,
            )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


DURATION = DurationType()
MOMENT = MomentType()


def config_option(function: F) -> F:
    """``--config``: which settings file."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file. [default: ./shadow.toml if it exists]",
    )(function)


def journal_option(function: F) -> F:
    """``--journal``: which journal; else SHADOW_JOURNAL, the settings, ./shadow.duckdb."""
    return click.option(
        "--journal",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Journal file. [env SHADOW_JOURNAL; default: ./shadow.duckdb]",
    )(function)


def as_of_option(function: F) -> F:
    """``--as-of``: read the journal as it was at a moment."""
    return click.option(
        "--as-of", type=MOMENT, help="Seq, time or -2h: look at the journal as of then."
    )(function)


def json_option(function: F) -> F:
    """``--json``: data for scripts on stdout, nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")(
        function
    )


def settings_with(config: Path | None, journal: Path | None = None) -> Settings:
    """Load the settings and let the command line win."""
    settings = load_settings(config, os.environ)
    return settings.model_copy(update={"journal": journal}) if journal else settings
