"""What every channel can do, and how it says that it could not."""

from __future__ import annotations

from typing import Protocol

from harness.notify.message import Message


class Channel(Protocol):
    """One way to tell somebody something."""

    @property
    def name(self) -> str:
        """Under which its ledger is kept: ``webhook``, ``command`` or ``file``."""

    def send(self, message: Message) -> None:
        """Deliver once. Raises DeliveryError if that is not certain."""


class DeliveryError(Exception):
    """One attempt to deliver failed. Never holds a secret; that is why nothing is chained to it."""

    def __init__(self, words: str, *, again: bool, retry_after_s: float | None = None) -> None:
        """words: why, in one clause. again: whether another attempt at once may help."""
        super().__init__(words)
        self.words = words
        self.again = again
        self.retry_after_s = retry_after_s
