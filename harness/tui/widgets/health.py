"""The recorder's own health in named lines: recorder, sources, gaps, journal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from harness.assessment import Assessment, Operations, RecordingHealth, SamplerState
from harness.model import Side
from harness.tui.widgets.figures import (
    NOT_RECORDED,
    Figure,
    Figures,
    Line,
    Part,
    count,
    figure,
    named,
)
from harness.tui.widgets.panel import Panel
from harness.tui.wording import clock, day_and_time, duration, plain

_WIDTH, _MOST_WIDTH = 12, 24
_LOUD = "$warning bold"
MOST_GAPS = 50


class LinesPanel(Panel):
    """A titled frame around a block of lines."""

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = title
        self._table = Figures(classes="table")

    def compose(self) -> Iterator[Figures]:
        """One block of named lines."""
        yield self._table

    def show_lines(self, lines: list[Line], *, loud: bool = False) -> None:
        """Paint `lines`; loud: with a frame that warns."""
        self.set_class(loud, "-undecided")
        self._table.show_lines(lines)


def recorder_lines(recording: RecordingHealth) -> Iterator[Line]:
    """What the newest recorder has said of itself in the journal."""
    here, one = "recording.recorder", recording.recorder
    if one is None:
        yield named("recorder", ("no recorder has begun", "$secondary"), width=_WIDTH)
        return
    yield named("session", Figure(f"{here}.session", plain(one.session)), ", ",
                Figure(f"{here}.mode", plain(one.mode)), width=_WIDTH)  # fmt: skip
    yield named("began", Figure(f"{here}.started_at", day_and_time(one.started_at)), width=_WIDTH)
    if one.stopped_at is None:
        yield named("ended", "it has not said so", width=_WIDTH)
    else:
        sound = "complete" if one.complete else "▲ not complete"
        yield named(
            "ended", Figure(f"{here}.stopped_at", day_and_time(one.stopped_at)), ", ",
            Figure(f"{here}.complete", sound, "" if one.complete else _LOUD), width=_WIDTH,
        )  # fmt: skip
    yield named(
        "last sweep", figure(f"{here}.last_sweep_at", one.last_sweep_at, clock),
        *_ago(f"{here}.sweep_age_s", one.sweep_age_s), ", took ",
        figure(f"{here}.sweep_cost_ms", one.sweep_cost_ms, _ms), width=_WIDTH,
    )  # fmt: skip
    yield named(
        "ticks", "every ", figure(f"{here}.tick_s", one.tick_s, duration), ", mean ",
        figure(f"{here}.tick_cost_ms", one.tick_cost_ms, _ms), ", ",
        figure(f"{here}.polls", one.polls, count), " polls", width=_WIDTH,
    )  # fmt: skip
    yield named("sweeps", "at least ",
                figure(f"{here}.sweep_min_interval_s", one.sweep_min_interval_s, duration),
                " apart", width=_WIDTH)  # fmt: skip
    yield named("lock retries", figure(f"{here}.lock_retries", one.lock_retries, count),
                width=_WIDTH)  # fmt: skip
    yield named("server", Figure(f"{here}.server_version", plain(one.server_version))
                if one.server_version else (NOT_RECORDED, "$secondary"), width=_WIDTH)  # fmt: skip


def source_lines(recording: RecordingHealth) -> Iterator[Line]:
    """Lag of each source, with the tables that it is about; then the samplers."""
    longest = max((cell_len(plain(mark.source)) for mark in recording.marks), default=0)
    width = max(_WIDTH, min(longest, _MOST_WIDTH))
    if recording.complete_until is None:
        yield named("complete", ("▲ not proved: no sweep has finished", _LOUD), width=width)
    else:
        yield named(
            "complete", "to ", Figure("recording.complete_until", clock(recording.complete_until)),
            ", ", figure("recording.lag_s", recording.lag_s, duration), " behind",
            *([(", ▲ provisional", _LOUD)] if recording.provisional else []), width=width,
        )  # fmt: skip
    for at, mark in enumerate(recording.marks):
        here = f"recording.marks.{at}"
        name = plain(mark.source)
        yield (
            Figure(f"{here}.source", name, "$secondary"), " " * (width - cell_len(name)), " to ",
            Figure(f"{here}.complete_until", clock(mark.complete_until)), ", ",
            Figure(f"{here}.lag_s", duration(mark.lag_s)), " behind",
        )  # fmt: skip
    yield from _table_lines(recording)
    if recording.samplers:
        yield ((f"{'by sampler':<{_WIDTH}} samples  last", "$secondary"),)
    for at, sampler in enumerate(recording.samplers):
        yield _sampler(f"recording.samplers.{at}", sampler)


def _table_lines(recording: RecordingHealth) -> Iterator[Line]:
    """One line a table: to where each source proves it complete."""
    places: dict[str, list[int]] = {}
    for at, mark in enumerate(recording.marks):
        for table in mark.tables:
            places.setdefault(table, []).append(at)
    width = max(map(len, places), default=0)
    if places:
        heads = "".join(f"  {_column(mark.source):<15}" for mark in recording.marks if mark.tables)
        yield ((f"{'by table':<{width}}{heads}".rstrip(), "$secondary"),)
    for table, marks in places.items():
        parts: list[str | tuple[str, str] | Figure] = [(f"{plain(table):<{width}}", "$secondary")]
        for at in marks:
            until = clock(recording.marks[at].complete_until)
            parts += ["  ", Figure(f"recording.marks.{at}.complete_until", until)]
            parts.append(" " * max(0, 15 - len(until)))
        yield tuple(parts)


def _column(source: str) -> str:
    """What stands above a source's column; the one without a word of its own is that of sweeps."""
    return plain(source.partition(":")[2] or "sweeps")


def _sampler(here: str, sampler: SamplerState) -> Line:
    name = f"{sampler.name:<{_WIDTH}} "
    if sampler.last_at is None:
        return (name, "$secondary"), (f"{'':7}  {NOT_RECORDED}", "$secondary")
    samples = count(sampler.samples)
    return (
        (name, "$secondary"), " " * (7 - len(samples)), Figure(f"{here}.samples", samples), "  ",
        figure(f"{here}.last_at", sampler.last_at, clock), *_ago(f"{here}.age_s", sampler.age_s),
    )  # fmt: skip


def gap_lines(recording: RecordingHealth) -> Iterator[Line]:
    """Gaps, the newest first: open ones cost evidence, closed ones a later sweep made good."""
    spans = recording.gap_spans
    if not recording.gaps:
        yield (("no gap is recorded", "$success"),)
        return
    closed = sum(span.closed for span in spans)
    still = len(spans) - closed
    yield ((f"{still:,} open, ", _LOUD if still else ""), f"{closed:,} closed")
    for at in range(len(recording.gaps) - 1, max(-1, len(recording.gaps) - 1 - MOST_GAPS), -1):
        open_ = at < len(spans) and not spans[at].closed
        yield (
            ("▲ open    " if open_ else "✓ closed  ", _LOUD if open_ else "$secondary"),
            Figure(f"recording.gaps.{at}", plain(recording.gaps[at])),
        )
    if len(recording.gaps) > MOST_GAPS:
        yield ((f"and {len(recording.gaps) - MOST_GAPS:,} older ones", "$secondary"),)


def worker_lines(running: Operations | None) -> Iterator[Line]:
    """The newest heartbeat of each worker of either side."""
    beats = running.heartbeats if running else ()
    if not beats:
        yield (("no heartbeat is recorded", "$secondary"),)
    for at, one in enumerate(beats):
        here = f"operations.heartbeats.{at}"
        loud = _LOUD if one.status == "stale" else ""
        yield named(
            "old" if one.side == Side.CONTROL.value else "new",
            Figure(f"{here}.worker", plain(one.worker)), " ", *([("▲ ", loud)] if loud else []),
            Figure(f"{here}.status", plain(one.status), loud),
            *_ago(f"{here}.age_s", one.age_s), width=3,
        )  # fmt: skip


def journal_lines(assessment: Assessment) -> Iterator[Line]:
    """What the journal holds as of the moment, and what disturbed the record."""
    recording, made = assessment.recording, assessment.provenance
    yield named(
        "events", Figure("recording.events", count(recording.events)), " in ",
        Figure("recording.batches", count(recording.batches)), " batches", width=_WIDTH,
    )  # fmt: skip
    version = "provenance.journal_schema_version"
    yield named(
        "seq", Figure("provenance.seq", count(made.seq)), ", schema version ",
        Figure(version, count(made.journal_schema_version)), width=_WIDTH,
    )  # fmt: skip
    chain = Figure("provenance.journal_hash", f"{plain(made.journal_hash)[:16]}…")
    yield named("chain", chain, width=_WIDTH)
    drifts = Figure("recording.drifts", count(recording.drifts), _LOUD if recording.drifts else "")
    last: tuple[Part, ...] = ()
    if recording.last_drift:
        last = ", the last of ", Figure("recording.last_drift", plain(recording.last_drift))
    yield named("drift", drifts, " changes", *last, width=_WIDTH)
    jumps = Figure("recording.clock_jumps", count(recording.clock_jumps))
    yield named("clock jumps", jumps, width=_WIDTH)
    compared = figure("recording.reconciled_at", recording.reconciled_at, clock)
    yield named("compared", compared, " with production", width=_WIDTH)
    if recording.by_kind:
        yield (("events by kind", "$secondary"),)
    for kind, number in sorted(recording.by_kind, key=lambda item: (-item[1], item[0])):
        digits = count(number)
        yield (
            " " * max(1, 10 - len(digits)), Figure(f"recording.by_kind.{kind}", digits),
            (f" {plain(kind)}", "$secondary"),
        )  # fmt: skip


def _ago(path: str, age_s: float | None) -> tuple[tuple[str, str] | Figure, ...]:
    if age_s is None:
        return ()
    return (
        (" (", "$secondary"),
        Figure(path, duration(age_s), "$secondary"),
        (" ago)", "$secondary"),
    )


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"
