"""How a replay is told to a person: while it goes on, at its end, and beside another run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from replay.run import ReplayState
    from replay.versus import Versus

_LINE_EVERY_S = 10.0
_MOST_CHANGES = 20


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[ReplayState], None]]:
    """Yield what shows a state: a bar on a terminal, else a line now and then; all on stderr."""
    if quiet:
        yield _notes()
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[ReplayState], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[run]}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=None, run="opening the sandbox", words="")

        def tell(state: ReplayState) -> None:
            shown.update(
                task,
                total=state.selected,
                completed=state.done + state.excluded,
                run=state.run,
                words=", ".join(_standing(state)),
            )
            note(state)

        note = _notes()
        yield tell


def _notes() -> Callable[[ReplayState], None]:
    """Says what hinders a run, once for each hindrance; also where nothing else is shown."""
    told: str | None = None

    def tell(state: ReplayState) -> None:
        nonlocal told
        if state.note is not None and state.note != told:
            click.echo(f"{state.run}: {state.note}", err=True)
        told = state.note

    return tell


def _lines() -> Callable[[ReplayState], None]:
    told_at = -_LINE_EVERY_S
    note = _notes()

    def tell(state: ReplayState) -> None:
        nonlocal told_at
        note(state)
        if time.monotonic() - told_at >= _LINE_EVERY_S:
            told_at = time.monotonic()
            done = f"{state.run}: {state.done + state.excluded} of {state.selected}"
            click.echo(", ".join((done, *_standing(state))), err=True)

    return tell


def _standing(state: ReplayState) -> Iterator[str]:
    """Rate, what remains, and what was found so far."""
    if state.rate_per_s:
        yield f"{state.rate_per_s:.1f}/s"
    if state.left and state.remaining_s is not None:
        yield f"{duration(state.remaining_s)} left"
    if state.done:
        share = 100 * state.differing / state.done
        yield f"{state.differing} of {state.done} differ ({share:.1f} %)"
    if not state.left and state.to_repeat:
        yield f"{state.to_repeat} to look at again"
    if state.escapes:
        yield f"{state.escapes} escapes"


def duration(seconds: float) -> str:
    """A time for a person: 40 s, 3 min, 2 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def summary(state: ReplayState) -> str:
    """What a person wants to know at the end, some lines."""
    speed = f", {state.rate_per_s:.1f} a second" if state.rate_per_s else ""
    most = f", at most {state.at_once} at once" if state.at_once else ""
    if state.machines:
        most += f", by {state.machines} machine{'s' * (state.machines > 1)}"
    lines = [
        f"{state.run}: {state.done} of {state.selected} submissions replayed, "
        f"{state.excluded} excluded, in {state.elapsed_s:.0f} s{speed}{most}",
        f"same outcome as the control: {state.agreeing} of {state.done}",
    ]
    if state.unconfirmed:
        lines.append(f"claimed submitted, never received: {state.unconfirmed}")
    if state.crashed:
        lines.append(f"crashes of the browser or the worker: {state.crashed}")
    if state.again:
        lines.append(f"looked at again: {state.again}, of them flaky: {state.flaky}")
    if state.evidence:
        dropped = (
            f"; {state.evidence_dropped} older ones dropped to keep to --evidence-mb"
            if state.evidence_dropped
            else ""
        )
        lines.append(
            f"evidence kept: {state.evidence}{dropped}; look with: shadow evidence JOB/DIRECTORY"
        )
    if state.overloaded:
        lines.append(
            f"TIMED OUT WHILE THIS MACHINE WAS STARVED: {state.overloaded}; these say little of "
            "the worker. Repeat them on a quieter machine, or with a lower --concurrency"
        )
    if state.lag_s >= 1:
        lines.append(f"fell behind its schedule by {duration(state.lag_s)} at worst")
    if state.left or (state.to_repeat and not state.finished):
        what = f"not done yet: {state.left}" if state.left else f"to repeat: {state.to_repeat}"
        time_up = "--max-minutes is over; " if state.out_of_time else ""
        lines.append(f"{time_up}{what}; go on with: shadow replay --resume {state.run}")
    if state.not_sealed_by:
        lines.append(_not_sealed(state.not_sealed_by))
    lines.append(
        f"ATTEMPTS TO LEAVE THE SANDBOX, all stopped: {state.escapes}"
        if state.escapes
        else "nothing tried to leave the sandbox"
    )
    return "\n".join(lines)


def _not_sealed(missing: Collection[str]) -> str:
    """What was open to a worker's program, because this machine allows no more."""
    from replay.seal.isolation import SlotLayer
    from replay.seal.unsealed import not_sealed_without, ways_in_words

    layers = [SlotLayer(layer) for layer in missing]
    only = "SEALED BY PROXY AND RESOLVER ONLY: " * (SlotLayer.NETWORK in layers)
    return (
        f"{only}this machine allows no {', no '.join(layers)}. "
        f"Not sealed here: {ways_in_words(not_sealed_without(layers))}; see shadow doctor"
    )


def changes(found: Versus) -> str:
    """What another version of the worker, or the same one again, ended differently."""
    from replay.versus import ChangeKind

    counts = ", ".join(f"{found.count(kind)} {kind}" for kind in ChangeKind)
    lines = [
        f"{found.second} against {found.first}: {len(found.changes)} of {found.compared} changed"
        f" ({counts})"
    ]
    if found.unsteady:
        lines.append(f"left out, flaky or timed out on a starved machine: {found.unsteady}")
    if found.only_one:
        lines.append(f"in one of them only: {found.only_one}")
    for change in found.changes[:_MOST_CHANGES]:
        lines.append(f"  {change.kind}: {change.job_id}/{change.directory}")
        lines.append(f"    before: {_short(change.before)}")
        lines.append(f"    after:  {_short(change.after)}")
    if len(found.changes) > _MOST_CHANGES:
        lines.append(f"  … and {len(found.changes) - _MOST_CHANGES} more; --json lists all")
    return "\n".join(lines)


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= 120 else f"{line[:119]}…"
