"""A look at 1,000 new events of a growing journal: pairs, findings and clusters by increment.

Journals of more and more events show whether the cost depends on the history. Beside each stands
what the first look costs, which reads all of it. INCREMENT_EVENTS=10000000 adds a size, or takes
the place of all with INCREMENT_ONLY=1; ten million take minutes to make and minutes to read.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.big_week import PER_JOB, fill, make_week
from harness.assess.criteria import load_criteria
from harness.assess.live.state import LiveComparison
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Watermark
from harness.settings import Settings

SIZES = (10_000, 100_000, 1_000_000)
LOOKS = 20
NEW = 1_000


def run() -> None:
    """Print one line a size."""
    more = os.environ.get("INCREMENT_EVENTS")
    sizes = () if more and os.environ.get("INCREMENT_ONLY") else SIZES
    for size in (*sizes, *([int(more)] if more else [])):
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), size)


def _measure(folder: Path, size: int) -> None:
    journal = Journal.create(folder / "bench.duckdb")
    began = time.perf_counter()
    fill(journal, size)
    built_s = time.perf_counter() - began
    events = itertools.islice(make_week(size // PER_JOB), size % PER_JOB, None)
    live = LiveComparison(load_criteria(Settings()))
    with journal.reader() as reader:
        began = time.perf_counter()
        live.advance(reader)
        live.clusters()
        first_s = time.perf_counter() - began
    spent: dict[str, list[float]] = {}
    for _ in range(LOOKS):
        for step, ms in _look(journal, live, tuple(itertools.islice(events, NEW))).items():
            spent.setdefault(step, []).append(ms)
    medians = {step: statistics.median(ms) for step, ms in spent.items()}
    beside = {step: medians.pop(step) for step in ("append", "open", "look", "processor")}
    parts = ", ".join(f"{step} {ms:.1f}" for step, ms in medians.items())
    print(
        f"increment of {NEW:,} at {size:,} events: pairs, findings and clusters "
        f"{beside['look']:.0f} ms ({parts}), {beside['processor']:.0f} ms of processor time; "
        f"beside it append {beside['append']:.0f} ms, open {beside['open']:.0f} ms, the first "
        f"look {first_s:.1f} s, built in {built_s:.0f} s; medians of {LOOKS}",
        flush=True,
    )


def _look(journal: Journal, live: LiveComparison, new: tuple[EventDraft, ...]) -> dict[str, float]:
    """Milliseconds of each step; `look` is all but appending and opening.

    On a machine that others use, the processor time of a look says more than how long it took.
    """
    times = [time.perf_counter()]
    mark = Watermark(source="production", position={"xid": 7}, complete_until=new[-1].occurred_at)
    journal.append(Batch(events=new, watermarks=(mark,)))
    times.append(time.perf_counter())
    with journal.reader() as reader:
        times.append(time.perf_counter())
        began = time.process_time()
        advanced = live.advance(reader)
        times.append(time.perf_counter())
        live.clusters()
        times.append(time.perf_counter())
        processor = (time.process_time() - began) * 1000
    append, opened, advance, clusters = ((b - a) * 1000 for a, b in itertools.pairwise(times))
    spent = {"append": append, "open": opened, "look": advance + clusters, "processor": processor,
             **advanced.spent_ms}  # fmt: skip
    spent["clusters"] = spent.get("clusters", 0.0) + clusters
    return spent
