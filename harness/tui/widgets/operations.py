"""Traffic, queue, Prefect, workers and record in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from harness.assessment import (
    Assessment,
    PrefectSample,
    QueueSample,
    RecordingHealth,
    Traffic,
    WorkersSample,
)
from harness.tui.widgets.figures import NOT_RECORDED, Figure, Figures, Line, count, figure, named
from harness.tui.widgets.panel import Panel
from harness.tui.wording import clock, duration, plain

_WIDTH = 7
_LOUD = "$warning bold"
_ALARM = "$error bold"


class OperationsPanel(Panel):
    """Throughput and backlog, queue, dead letters, Prefect, workers, and how far the record is."""

    BORDER_TITLE = "Operations"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = Figures(classes="table")

    def compose(self) -> ComposeResult:
        """One block of named lines."""
        yield self._table

    def show(self, assessment: Assessment) -> None:
        """Paint the operations and the record of `assessment`."""
        running, recording = assessment.operations, assessment.recording
        loud = bool(recording.gaps) or recording.provisional or recording.complete_until is None
        self.set_class(loud, "-undecided")
        self.border_subtitle = f"{recording.events:,} events"
        lines: list[Line] = []
        if running is None:
            lines.append(named("traffic", NOT_RECORDED, width=_WIDTH))
        else:
            lines += traffic_lines(running.traffic)
            lines += queue_lines(running.queue)
            lines += prefect_lines(running.prefect)
            lines += workers_lines(running.workers)
        if recording.stale_workers:
            lines.append(named("stale", *_stale(recording.stale_workers), width=_WIDTH))
        self._table.show_lines([*lines, *record_lines(recording)])


def traffic_lines(traffic: Traffic) -> Iterator[Line]:
    """Throughput and backlog; both need a record that is proved complete."""
    here = "operations.traffic"
    if traffic.until is None:
        yield named("jobs/h", ("not proved: no sweep has finished", "$secondary"), width=_WIDTH)
        return

    def rate(name: str, value: float | None) -> Figure:
        return figure(f"{here}.{name}_per_h", value, lambda per_h: f"{per_h:,.1f}")

    yield named(
        "jobs/h", rate("admitted", traffic.admitted_per_h), " created; ended: old ",
        rate("control", traffic.control_per_h), ", new ",
        rate("candidate", traffic.candidate_per_h), width=_WIDTH,
    )  # fmt: skip
    lost = traffic.candidate_lost
    yield named(
        "backlog", "old ", figure(f"{here}.control_backlog", traffic.control_backlog, count),
        ", new ", figure(f"{here}.candidate_backlog", traffic.candidate_backlog, count),
        ", lost at new ", figure(f"{here}.candidate_lost", lost, count, _ALARM if lost else ""),
        width=_WIDTH,
    )  # fmt: skip


def queue_lines(queue: QueueSample | None) -> Iterator[Line]:
    """Depth of the jobs queue and of the dead letters."""
    here = "operations.queue"
    if queue is None:
        yield named("queue", (NOT_RECORDED, "$secondary"), width=_WIDTH)
        yield named("DLQ", (NOT_RECORDED, "$secondary"), width=_WIDTH)
        return
    yield named(
        "queue", figure(f"{here}.depth", queue.depth, count), " waiting, ",
        figure(f"{here}.in_flight", queue.in_flight, count), " in flight",
        *_oldest(f"{here}.oldest_age_s", queue.oldest_age_s),
        *_ago(f"{here}.age_s", queue.age_s), width=_WIDTH,
    )  # fmt: skip
    dead = queue.dlq_depth
    loud = _ALARM if dead else ""
    yield named(
        "DLQ", *([("▲ ", loud)] if dead else []), figure(f"{here}.dlq_depth", dead, count, loud),
        " dead letters", *_oldest(f"{here}.dlq_oldest_age_s", queue.dlq_oldest_age_s), width=_WIDTH,
    )  # fmt: skip
    if queue.why:
        yield named("", ("▲ ", _LOUD), Figure(f"{here}.why", plain(queue.why)), width=_WIDTH)


def prefect_lines(prefect: PrefectSample | None) -> Iterator[Line]:
    """Health of Prefect and its flow runs."""
    here = "operations.prefect"
    if prefect is None:
        yield named("Prefect", (NOT_RECORDED, "$secondary"), width=_WIDTH)
        return

    def runs(name: str, value: int | None, word: str, style: str = "") -> tuple[Figure | str, ...]:
        return figure(f"{here}.{name}", value, count, style if value else ""), f" {word}"

    sound = prefect.healthy
    yield named(
        "Prefect", Figure(f"{here}.healthy", "healthy" if sound else "▲ not healthy",
                          "" if sound else _ALARM),
        *([(", deployment missing", _ALARM)] if prefect.deployed is False else []), ", ",
        *runs("running", prefect.running, "running, "),
        *runs("late", prefect.late, "late, ", _LOUD),
        *runs("failed", prefect.failed, "failed, ", _LOUD),
        *runs("crashed", prefect.crashed, "crashed", _LOUD),
        *_ago(f"{here}.age_s", prefect.age_s), width=_WIDTH,
    )  # fmt: skip


def workers_lines(workers: WorkersSample | None) -> Iterator[Line]:
    """How many workers run, rest, and fell silent with work in hand."""
    here = "operations.workers"
    if workers is None:
        yield named("workers", (NOT_RECORDED, "$secondary"), width=_WIDTH)
        return
    stale = workers.stale
    yield named(
        "workers", figure(f"{here}.running", workers.running, count), " running, ",
        figure(f"{here}.idle", workers.idle, count), " idle, ",
        *([("▲ ", _LOUD)] if stale else []),
        figure(f"{here}.stale", stale, count, _LOUD if stale else ""), " stale",
        *_ago(f"{here}.age_s", workers.age_s), width=_WIDTH,
    )  # fmt: skip
    if workers.why:
        yield named("", ("▲ ", _LOUD), Figure(f"{here}.why", plain(workers.why)), width=_WIDTH)


def record_lines(recording: RecordingHealth) -> Iterator[Line]:
    """How far the record reaches, its gaps, and how often the journal was locked."""
    if recording.complete_until is None:
        yield named("record", ("▲ not proved: no sweep has finished", _LOUD), width=_WIDTH)
    else:
        loud = _LOUD if recording.provisional else ""
        yield named(
            "record", *([("▲ ", loud)] if loud else []), "to ",
            Figure("recording.complete_until", clock(recording.complete_until), loud), ", ",
            figure("recording.lag_s", recording.lag_s, duration), " behind",
            *([(", provisional", loud)] if loud else []),
            *([] if recording.gaps else [", no gap"]), width=_WIDTH,
        )  # fmt: skip
    if recording.gaps:
        last = len(recording.gaps) - 1
        yield named(
            "gaps", (f"▲ {len(recording.gaps):,}, last: ", _LOUD),
            Figure(f"recording.gaps.{last}", plain(recording.gaps[last]), _LOUD), width=_WIDTH,
        )  # fmt: skip
    recorder = recording.recorder
    retries = recorder.lock_retries if recorder else None
    yield named(
        "locks", figure("recording.recorder.lock_retries", retries, count), " retries",
        width=_WIDTH,
    ) if retries is not None else named(
        "locks", (f"retries {NOT_RECORDED}", "$secondary"), width=_WIDTH
    )  # fmt: skip


def _stale(names: tuple[str, ...]) -> Iterator[tuple[str, str] | Figure]:
    shown = names[:3]
    for at, name in enumerate(shown):
        if at:
            yield ", ", ""
        yield Figure(f"recording.stale_workers.{at}", plain(name), _LOUD)
    if len(names) > len(shown):
        yield f" and {len(names) - len(shown):,} more", "$secondary"


def _oldest(path: str, age_s: float | None) -> tuple[str | Figure, ...]:
    """Most queues never tell it, and then there is nothing to say."""
    return () if age_s is None else (", oldest ", Figure(path, duration(age_s)))


def _ago(path: str, age_s: float) -> tuple[tuple[str, str] | Figure, ...]:
    return (
        (" (", "$secondary"),
        Figure(path, duration(age_s), "$secondary"),
        (" ago)", "$secondary"),
    )
