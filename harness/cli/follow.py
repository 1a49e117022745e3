"""``shadow follow``: what starts or ceases to differ, line by line, as it is recorded.

A line costs what was recorded since the last look, however long the history is.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.follow_rows import Lines
from harness.cli.options import (
    DURATION,
    Moment,
    chosen,
    filter_options,
    json_option,
    moment_options,
    opened,
    positive,
    settings_with,
)
from harness.cli.told import counted, say
from harness.errors import ShadowError
from harness.model import LIVE

if TYPE_CHECKING:
    from harness.assess.live.changes import LiveChanges
    from harness.assess.live.over import Over
    from harness.assess.live.state import LiveComparison
    from harness.journal.store import Head, Journal

_UNREADABLE = 2
BUSY_TIMEOUT_S = 30.0
"""How long a look waits for a locked journal."""
SILENT = timedelta(minutes=1)
"""After so long without anything recorded, that nothing is told means nothing."""


@click.command()
@moment_options
@filter_options("kind of difference or finding")
@click.option("--every", "every_s", type=DURATION, default=1.0, callback=positive,
              help="Pause between looks. [default: 1s]")  # fmt: skip
@click.option("--once", is_flag=True, help="End when all that is recorded now has been told.")
@json_option
def follow(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mode: tuple[str, ...],
    kind: tuple[str, ...],
    every_s: float,
    once: bool,
    as_json: bool,
) -> int:
    """Print each difference and each case of a finding as it appears, changes or goes.

    Begins now, or with --as-of at an earlier moment: then what has changed since is told first.
    Goes on until Ctrl-C; with --once, until all that is recorded has been told. Exit 1 if a
    difference appeared or changed, or a case of a finding worse than info appeared; 2 if the
    journal could not be read in the end.

    A minute without anything recorded is told too: while nobody records, silence says nothing.
    Personal values are masked. Without a terminal, tab-separated lines; with --json, one object a
    line.

    \b
    Examples:
      shadow follow --journal week.duckdb
      shadow follow --mode live --kind wrong_value --json | jq .directory
      shadow follow --as-of -2h --once
    """
    from harness.assess.live.changes import LiveChanges
    from harness.assess.live.state import LiveComparison
    from harness.cli.stopping import stopping
    from harness.compare.cluster_words import TITLES
    from harness.journal.detectors import catalogue
    from harness.journal.store import Journal

    kinds = chosen("--kind", kind, [*TITLES, *(detector.id for detector in catalogue())])
    if once and as_of is None:
        raise click.UsageError("--once tells what changed since a moment. Give --as-of, too.")
    changes = LiveChanges()
    with opened(config, journal, as_of) as (reader, criteria, now):
        live = LiveComparison(criteria, changes=changes)
        live.advance(reader, now=now)
        began = reader.as_of_time
    modes = chosen("--mode", mode, [LIVE, *live.modes])
    lines = Lines(modes=modes, kinds=kinds, as_json=as_json)
    path = settings_with(config, journal).journal
    stop = threading.Event()
    with stopping(stop, words="Stopping …"):
        following = _Following(
            Journal.open(path, busy_timeout_s=BUSY_TIMEOUT_S), live, changes, lines
        )
        say(f"{path.name}: {following.standing(began)}")
        while not stop.is_set():
            following.look()
            if once:
                break
            stop.wait(every_s)
    say(f"{lines.told}; {following.standing(following.at or began)}")
    if following.trouble is not None:
        return _UNREADABLE
    return 1 if lines.worse else 0


class _Following:
    """Looks at a journal that grows, and says once when it cannot or when nothing comes."""

    def __init__(
        self, journal: Journal, live: LiveComparison, changes: LiveChanges, lines: Lines
    ) -> None:
        self._journal = journal
        self._live = live
        self._changes = changes
        self._lines = lines
        self._head: Head | None = None
        self._silent = False
        self.trouble: str | None = None
        """Why the journal could not be read at the last look."""
        self.at: datetime | None = None

    def standing(self, at: datetime) -> str:
        """How many differences there are, and as of when."""
        from harness.report.wording import moment

        if not self._live.seq:
            return "nothing recorded as of seq 0"
        found = counted(len(self._changes.of_job(None)), "difference")
        return f"{found} as of seq {self._live.seq} ({moment(at)})"

    def look(self) -> None:
        """Tell what was recorded since, or why that cannot be said."""
        try:
            head = self._journal.head()
            if head != self._head:
                self._advance()
                self._head = head
        except ShadowError as error:
            self._say_trouble(str(error))
            return
        if self.trouble is not None:
            say("journal: can be read again")
            self.trouble = None
        self._watch_silence(head)

    def _advance(self) -> None:
        from harness.journal.store import utc_now

        with self._journal.reader() as reader:
            over = self._live.advance(reader, now=utc_now()).started_over
            self.at = reader.as_of_time
        if over is not None and not over.same_record:
            self._begin_again(over)
            return
        self._lines.show(self._changes, at=self.at, seq=self._live.seq)

    def _begin_again(self, over: Over) -> None:
        if self.at is not None:
            say(f"{over.value}, so this begins anew: {self.standing(self.at)}")
        self._lines.show_recording("anew", over.value, at=self.at, seq=self._live.seq)

    def _say_trouble(self, words: str) -> None:
        if words != self.trouble:
            say(f"journal: {words}")
            self._lines.show_recording("unreadable", words, at=self.at, seq=self._live.seq)
        self.trouble = words

    def _watch_silence(self, head: Head) -> None:
        from harness.journal.store import utc_now
        from harness.report.wording import moment

        if head.recorded_at is None:
            return
        silent = utc_now() - head.recorded_at > SILENT
        if silent == self._silent:
            return
        self._silent = silent
        words = f"nothing has been recorded since {moment(head.recorded_at)}"
        if not silent:
            words = f"recorded again at {moment(head.recorded_at)}"
        say(f"journal: {words}")
        self._lines.show_recording(
            "silent" if silent else "back", words, at=head.recorded_at, seq=self._live.seq
        )
