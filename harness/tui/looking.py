"""Looks at the journal: the moment shown, what stands in for it meanwhile, what is kept ahead.

A look at millions of events takes seconds. Until it has ended, a look that was kept of a moment
shortly before is shown under its own moment; the journal always has the last word.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import work
from textual.message import Message
from textual.timer import Timer
from textual.worker import Worker, get_current_worker

from harness.errors import ShadowError
from harness.tui.kept.packing import Seen
from harness.tui.kept.spacing import WORTH_S
from harness.tui.looked import Moment, Snapshot
from harness.tui.sources import LooksKept, Source
from harness.tui.travelling import TravellingApp
from harness.tui.view import Bridge, View
from harness.tui.widgets.time_bar import TimeBar

REST = 3.0
"""Pause between two looks, at least this many times what the last one took.

Inside one process a look keeps a recorder out of the journal, so looks must stay the exception.
"""
_LOOK_UP_S = 0.05
"""How often whoever rests asks whether they are still wanted."""


class LookingApp(TravellingApp):
    """What of the app looks at the journal."""

    SETTLED_S: ClassVar[float] = 0.1
    """Where something stands in for a moment, it is read once a person has stayed so long."""
    QUIET_S: ClassVar[float] = 60.0
    """After so long without an event nobody is kept from the journal by looks ahead."""
    REST_AHEAD: ClassVar[float] = 1.0
    """Pause between two looks ahead, as many times what the last one took."""

    @dataclass
    class SnapshotLoaded(Message):
        """A look at the journal has ended."""

        as_of: Moment | None
        snapshot: Snapshot
        cost_s: float

    @dataclass
    class BridgeFound(Message):
        """There is something to show until the moment asked for has been read."""

        as_of: Moment | None
        seen: Seen

    def __init__(
        self, data: Source, *, as_of: Moment | None, refresh_s: float, kept: LooksKept | None
    ) -> None:
        """refresh_s: the least pause between two looks. kept: None where nothing is kept."""
        super().__init__()
        self._data = data
        self._refresh_s = refresh_s
        self._kept = kept
        self._one_look = threading.Lock()
        self._next_look: Timer | None = None
        self._coming: Moment | None = None
        self._longest_s = 0.0
        self._ahead_failed = False
        self.view = View(as_of=as_of, snapshot=None, fault=None)
        if kept and as_of is None and (seen := kept.newest()):
            self.view = bridged(self.view, None, seen)

    def on_unmount(self) -> None:
        """End whatever is still being read: Python leaves only when all its threads have ended."""
        self._data.close()

    def go_to(self, as_of: Moment | None) -> None:
        """Show the journal as of a moment; None is now."""
        if as_of == self._wanted:
            return
        if self._next_look:
            # It would look at the old moment, and end the look at the new one.
            self._next_look.stop()
        self.workers.cancel_group(self, "ahead")
        if self.view.travel.playing and as_of is not None:
            # The picture stays under its own name until the next one is there: no flicker.
            self._coming = as_of
        else:
            self._coming = None
            # The old picture goes at once: under the new moment's name it would be a lie.
            self._show(replace(self.view, as_of=as_of, snapshot=None, bridge=None))
        self.look(as_of, arriving=True)

    @property
    def _wanted(self) -> Moment | None:
        """What to look at: the moment shown, or the one that it only stands in for."""
        return self.view.bridge.to if self.view.bridge else self.view.as_of

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def look(self, as_of: Moment | None, *, arriving: bool = False, settled: bool = True) -> None:
        """Assess the journal as of a moment.

        arriving: whether nothing is shown of it yet. settled: whether it is sure that it will be.
        """
        worker, came = get_current_worker(), time.monotonic()
        if arriving or not settled:
            # Of a look at another moment nobody wants to wait for the end.
            self._data.drop()
        if arriving:
            if seen := self._stand_in(as_of):
                self.post_message(self.BridgeFound(as_of, seen))
                settled = False
            self._data.stop_preparing()
        if not settled:
            # Whoever goes on at once need not have read what they passed by.
            _rest(worker, came + self.SETTLED_S - time.monotonic())
        with self._one_look:
            if worker.is_cancelled:
                return
            began = time.monotonic()
            snapshot = self._data.load(as_of)
            cost_s = time.monotonic() - began
        if not worker.is_cancelled:
            self.post_message(self.SnapshotLoaded(as_of, snapshot, cost_s))

    def _stand_in(self, as_of: Moment | None) -> Seen | None:
        if self._kept is None or self.view.travel.playing:
            return None
        if as_of is None:
            return self._kept.newest()
        span = self.view.span
        return self._kept.before(as_of, last_seq=span.last_seq if span else None)

    def on_looking_app_bridge_found(self, event: BridgeFound) -> None:
        """Show it, unless the moment itself is there or another one is wanted by now."""
        if event.as_of == self.view.as_of and self.view.snapshot is None:
            self._show(bridged(self.view, event.as_of, event.seen))

    def on_looking_app_snapshot_loaded(self, event: SnapshotLoaded) -> None:
        """Show it, unless another moment is wanted by now; look again later."""
        if event.as_of is not None and event.as_of == self._coming:
            self._coming = None
            self.view = replace(self.view, as_of=event.as_of)
        if event.as_of != self._wanted:
            return
        if self.view.bridge:
            event = self._crossed(event)
        span = event.snapshot.span or self.view.span
        self._show(replace(self.view, snapshot=event.snapshot, span=span))
        self._look_later(event.cost_s)
        self._look_ahead(event.snapshot)
        self.play_on()

    def _crossed(self, event: SnapshotLoaded) -> SnapshotLoaded:
        """End the bridge with the first look that saw anything; until then its trouble is told."""
        shown = self.view.snapshot
        if event.snapshot.assessment is None and shown is not None:
            return replace(event, snapshot=replace(shown, trouble=event.snapshot.trouble))
        self.view = replace(self.view, as_of=event.as_of, bridge=None)
        return event

    def place_near(self, wanted: TimeBar.Wanted) -> int:
        """A moment of the place that has been looked at, if there is one: it is there at once."""
        found = self._kept.inside(wanted.first_seq, wanted.last_seq) if self._kept else None
        return wanted.seq if found is None else found

    def stay(self) -> None:
        """Whoever moves from what only stands in for a moment is there by their own wish."""
        if self.view.bridge:
            self._show(replace(self.view, bridge=None))
            self.look(self.view.as_of, settled=False)

    def _look_later(self, cost_s: float) -> None:
        # One timer only: each moment visited would otherwise leave its own round of looks behind.
        if self._next_look:
            self._next_look.stop()
        self._next_look = self.set_timer(
            max(self._refresh_s, REST * cost_s), lambda: self.look(self._wanted)
        )

    def _look_ahead(self, snapshot: Snapshot) -> None:
        """Keep looks at moments that have none near, while nobody else wants the journal."""
        self._longest_s = max(self._longest_s, snapshot.took_s)
        if self._kept is None or snapshot.span is None or self._ahead_failed:
            return
        if self._longest_s < WORTH_S:
            return
        if (snapshot.taken_at - snapshot.span.last_at).total_seconds() < self.QUIET_S:
            self.workers.cancel_group(self, "ahead")
        elif not any(one.group == "ahead" and not one.is_finished for one in self.workers):
            self.keep_ahead(self._kept, snapshot.span.last_seq)

    @work(thread=True, exclusive=True, group="ahead", exit_on_error=False)
    def keep_ahead(self, kept: LooksKept, last_seq: int) -> None:
        """Look at moment after moment, until each has a look near before it."""
        worker = get_current_worker()
        try:
            while not worker.is_cancelled and (seq := kept.wanted(last_seq)) is not None:
                began = time.monotonic()
                if not self._data.prepare(seq):
                    # No room on the disk, say: trying again and again would keep the machine busy.
                    self._ahead_failed = True
                    return
                _rest(worker, self.REST_AHEAD * (time.monotonic() - began))
        except ShadowError:
            # Mostly it was ended for the sake of somebody who waits, and begins anew after them.
            self._ahead_failed = not worker.is_cancelled
        finally:
            self._data.stop_preparing()


def bridged(view: View, to: Moment | None, seen: Seen) -> View:
    """The same view while `seen` stands in for a moment."""
    made = seen.assessment.provenance
    snapshot = Snapshot(assessment=seen.assessment, trouble=None, taken_at=made.as_of)
    return replace(
        view, as_of=made.seq, snapshot=snapshot, span=view.span or seen.span, bridge=Bridge(to=to)
    )


def _rest(worker: Worker[None], seconds: float) -> None:
    """Wait, but not for somebody who is cancelled meanwhile."""
    until = time.monotonic() + seconds
    while not worker.is_cancelled and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_UP_S))
