"""Options that mean the same in every command, and how their text becomes a value."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.errors import SettingsError
from harness.settings import Settings, load_settings, parse_duration_s

if TYPE_CHECKING:
    from harness.assess.criteria import Criteria
    from harness.assessment import Assessment
    from harness.journal.reader import Reader
    from harness.journal.source_mapping import SourceMapping
    from harness.journal.store import Journal

F = TypeVar("F", bound=Callable[..., Any])
Moment = int | datetime | timedelta
"""A seq, a time, or how long (negative) before the newest event."""


class DurationType(click.ParamType[float, Any]):
    """Seconds, written as ``30s``, ``500ms``, ``10m`` or a number."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return parse_duration_s(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)


class MomentType(click.ParamType[Moment, Any]):
    """A seq, an ISO time (UTC where no zone is given), or ``-2h`` before the last event."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Moment:
        text = str(value).strip()
        if re.fullmatch(r"\d+", text):
            return int(text)
        if text.startswith("-"):
            try:
                return -timedelta(seconds=parse_duration_s(text[1:]))
            except (ValueError, OverflowError):
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


class ExpiryType(click.ParamType[datetime, Any]):
    """A date, an ISO time (UTC where no zone is given), or ``7d`` from now; never in the past."""

    name = "expiry"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        now = datetime.now(UTC)
        try:
            until = now + timedelta(seconds=parse_duration_s(value))
        except (ValueError, OverflowError):
            try:
                until = datetime.fromisoformat(str(value))
            except ValueError:
                self.fail(f"{value!r} is no expiry. Give a date (2026-12-01) or 7d.", param, ctx)
        until = until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)
        if until <= now:
            self.fail(f"{value!r} is over already. Give a moment in the future.", param, ctx)
        return until


DURATION = DurationType()
MOMENT = MomentType()
EXPIRY = ExpiryType()


def positive(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """The callback of a duration that must be one."""
    if value is not None and value <= 0:
        raise click.BadParameter(f"{value:g} is no length of time. Give more than 0, such as 30s.")
    return value


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


def worker_code_options(function: F) -> F:
    """``--worker-path``, ``--worker-python`` and ``--fast-sleeps``: how a program is started."""
    options = (
        click.option("--worker-path", type=click.Path(path_type=Path), metavar="FOLDER",
                     help="The worker's own code. [default: the current folder]"),
        click.option("--worker-python", type=click.Path(path_type=Path), metavar="PROGRAM",
                     help="The interpreter of a python: worker. [default: this one]"),
        click.option("--fast-sleeps", is_flag=True,
                     help="Let a python: worker sleep a fiftieth of what it asks for."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def filter_options(what: str) -> Callable[[F], F]:
    """``--kind`` and ``--mode``: only these. what: what there are kinds of."""

    def decorate(function: F) -> F:
        kind = click.option("--kind", multiple=True, help=f"Only this {what}. Repeatable.")
        mode = click.option(
            "--mode", multiple=True, help="Only live, or this replay run. Repeatable."
        )
        return mode(kind(function))

    return decorate


def settings_with(config: Path | None, journal: Path | None = None) -> Settings:
    """Load the settings and let the command line win."""
    settings = load_settings(config, os.environ)
    return settings.model_copy(update={"journal": journal}) if journal else settings


def mapping_of(settings: Settings, journal: Journal) -> SourceMapping | None:
    """The mapping that the settings name, else that of the journal; None: the shipped one.

    Raises SettingsError if it cannot be used, JournalError if the journal has another.
    """
    from harness.journal.mapping_files import load_mapping

    exists = journal.path.exists()
    if settings.source.mapping is None:
        return journal.mapping() if exists else None
    mapping = load_mapping(settings.source.mapping)
    if exists:
        journal.require(mapping)
    return mapping


def moment_options(function: F) -> F:
    """``--config``, ``--journal`` and ``--as-of``: which journal, judged by what, as of when."""
    return config_option(journal_option(as_of_option(function)))


def assess_journal(
    config: Path | None, journal: Path | None, as_of: Moment | None, *, phase: str | None = None
) -> Assessment:
    """Assess the journal as of a moment, by the criteria that the settings name.

    phase: decide on this one; None for the one that the gates name.
    """
    from harness.assess.build import assessment_of
    from harness.assess.moment import read_moment

    with opened(config, journal, as_of, phase=phase) as (reader, criteria, now):
        read = read_moment(reader, criteria, now=now)
    return assessment_of(read, criteria)


@contextmanager
def opened(
    config: Path | None, journal: Path | None, as_of: Moment | None, *, phase: str | None = None
) -> Iterator[tuple[Reader, Criteria, datetime | None]]:
    """Open the journal as of a moment; also the criteria and the moment that is asked about."""
    from harness.assess.criteria import load_criteria
    from harness.journal.store import Journal

    settings = settings_with(config, journal)
    criteria = load_criteria(settings, phase=phase)
    target = Journal.open(settings.journal)
    moment = resolved(target, as_of)
    # A seq has no moment but its own, so that its report stays the same for ever.
    asked = datetime.now(UTC) if moment is None else moment
    with target.reader(moment) as reader:
        yield reader, criteria, asked if isinstance(asked, datetime) else None


def resolved(journal: Journal, as_of: Moment | None) -> int | datetime | None:
    """`as_of` as a journal takes it: a span counts back from when the newest event was recorded."""
    if not isinstance(as_of, timedelta):
        return as_of
    with journal.reader() as reader:
        try:
            return reader.as_of_time + as_of
        except OverflowError:
            return 0


def chosen(option: str, values: Sequence[str], known: Iterable[str]) -> frozenset[str]:
    """The values of an option that is given several times; SettingsError for an unknown one."""
    names = sorted(set(known))
    for value in values:
        if value not in names:
            raise SettingsError(f"{option} {value}: {nearest(value, names)}")
    return frozenset(values)


def meant(word: str, known: Sequence[str]) -> str:
    """``Did you mean …? ``, or nothing where no known word is near."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]}? " if close else ""


def nearest(word: str, known: Sequence[str]) -> str:
    """What to write instead of an unknown word: the one that was probably meant, and all others."""
    near = meant(word, known).replace("Did", "did", 1)
    return f"not known; {near}Known: {', '.join(known) or 'none'}."
