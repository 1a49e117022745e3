"""One look after another: read, note what changed, tell each channel, remember.

What cannot be remembered is not told, or a full disk would tell it again at every look.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from harness.errors import ShadowError
from harness.gates.wording import counted
from harness.journal.store import utc_now
from harness.notify.backoff import pauses
from harness.notify.channels.channel import Channel, DeliveryError
from harness.notify.ledger import (
    Ledger,
    Policy,
    delivered,
    due,
    free_at,
    hold,
    observe,
    observe_trouble,
    undelivered,
)
from harness.notify.message import Message, compose
from harness.notify.standing import Standing, printable
from harness.notify.state import StateFile
from harness.report.wording import moment

ATTEMPTS = 4
"""At one look, for one message and channel."""
LONGEST_WAIT_S = 60.0
"""A receiver that asks for a longer pause is left alone until a later look."""


class Outcome(StrEnum):
    """What became of one channel at one look."""

    NOTHING = "nothing"
    """There was nothing to tell yet."""
    DELIVERED = "delivered"
    HELD = "held"
    """The limit of messages an hour keeps it back."""
    FAILED = "failed"
    """It stays owed, and the next look tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one channel at one look, in one line."""

    channel: str
    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One look and what was told after it."""

    trouble: str | None
    """Why the journal could not be read."""
    told: tuple[Told, ...]

    @property
    def failed(self) -> bool:
        """Whether somebody should have been told something and was not."""
        return any(told.outcome is Outcome.FAILED for told in self.told)


Wait = Callable[[float], bool]
"""Waits so many seconds; True at once where the program has been asked to stop."""


class Notifier:
    """Tells `channels` what changes in the journal that `look` reads.

    The state file must be held for as long as this lives. `anew` says why nothing is remembered
    although there is a state file; None where that is not so.
    """

    def __init__(
        self,
        look: Callable[[], Standing],
        channels: Sequence[Channel],
        state: StateFile,
        *,
        journal: str,
        policy: Policy,
        wait: Wait,
        clock: Callable[[], datetime] = utc_now,
        rng: random.Random | None = None,
    ) -> None:
        """Raises EnvironmentProblem if the state file cannot be used. journal: its file's name."""
        self._look = look
        self._channels = channels
        self._state = state
        self._journal = printable(journal)
        self._policy = policy
        self._wait = wait
        self._clock = clock
        self._rng = rng or random.Random()
        self._ledgers, self.anew = state.load()

    def once(self) -> Round:
        """Look, and tell every channel what is due.

        Raises EnvironmentProblem, having told nothing, where the state cannot be written.
        """
        trouble = self._observe()
        self._state.save(self._ledgers)
        return Round(trouble=trouble, told=tuple(self._tell(channel) for channel in self._channels))

    def preview(self) -> tuple[str | None, dict[str, Message | None]]:
        """Look, and return the trouble if any and what each channel would be told.

        Nothing is sent and nothing remembered.
        """
        trouble, now = self._observe(), self._clock()
        found: dict[str, Message | None] = {}
        for channel in self._channels:
            ledger = self._ledgers[channel.name]
            what = due(ledger, now, self._policy)
            if what and free_at(ledger, now, self._policy) <= now:
                found[channel.name] = compose(what, journal=self._journal, policy=self._policy)
            else:
                found[channel.name] = None
        return trouble, found

    def _observe(self) -> str | None:
        trouble, standing = None, None
        try:
            standing = self._look()
        except ShadowError as error:
            trouble = printable(str(error))
        now = self._clock()
        for channel in self._channels:
            ledger = self._ledgers.get(channel.name, Ledger())
            self._ledgers[channel.name] = (
                observe(ledger, standing, now)
                if standing
                else observe_trouble(ledger, trouble or "", now)
            )
        return trouble

    def _tell(self, channel: Channel) -> Told:
        ledger, now = self._ledgers[channel.name], self._clock()
        told = partial(Told, channel=channel.name)
        what = due(ledger, now, self._policy)
        if what is None:
            waits = sum(change.changes for change in ledger.waiting)
            words = f"nothing to say as of seq {ledger.seq}"
            if waits:
                words += f"; {counted(waits, 'change')} within the quiet period"
            return told(outcome=Outcome.NOTHING, words=words)
        free = free_at(ledger, now, self._policy)
        if free > now:
            self._remember(channel, hold(ledger, what))
            words = f"held back until {moment(free)} by the limit of messages an hour"
            return told(outcome=Outcome.HELD, words=words)
        asked = ledger.not_before
        if asked and now < asked <= now + timedelta(days=1):
            words = f"not delivered: the receiver asked for a pause until {moment(asked)}"
            return told(outcome=Outcome.FAILED, words=words)
        message = compose(what, journal=self._journal, policy=self._policy)
        failure = deliver(channel, message, wait=self._wait, rng=self._rng)
        now = self._clock()
        if failure:
            after = undelivered(ledger, now, retry_after_s=failure.retry_after_s)
            self._remember(channel, after)
            words = f"not delivered: {failure.words}. The next look tries again."
            return told(outcome=Outcome.FAILED, words=words)
        self._remember(channel, delivered(ledger, what, now, self._policy))
        subject = "where the journal stands" if what.first else _told(message)
        words = f"told {subject} as of seq {ledger.seq}"
        return told(outcome=Outcome.DELIVERED, words=words)

    def _remember(self, channel: Channel, ledger: Ledger) -> None:
        self._ledgers[channel.name] = ledger
        self._state.save(self._ledgers)


def deliver(
    channel: Channel, message: Message, *, wait: Wait, rng: random.Random
) -> DeliveryError | None:
    """Send `message`, trying again where that may help; the last failure, or None.

    A pause that the receiver asks for is kept, here or, if it is long, by whoever calls.
    """
    spent: Iterator[float] = pauses(ATTEMPTS, rng)
    attempts = 0
    while True:
        attempts += 1
        try:
            channel.send(message)
        except DeliveryError as error:
            failure = error
        else:
            return None
        pause_s = next(spent, None)
        asked_s = failure.retry_after_s or 0.0
        if not failure.again or pause_s is None or asked_s > LONGEST_WAIT_S:
            break
        if wait(max(pause_s, asked_s)):
            break
    if attempts == 1:
        return failure
    return DeliveryError(
        f"{failure.words}, after {attempts} attempts",
        again=failure.again,
        retry_after_s=failure.retry_after_s,
    )


def _told(message: Message) -> str:
    return counted(sum(notice.changes for notice in message.notices), "change")
