"""Notes the criteria in the journal whenever their files change, while a recorder runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from harness.assess.criteria import load_criteria
from harness.assess.in_force import criteria_event
from harness.errors import SettingsError
from harness.model import EventKind, Source
from harness.record.samples.sampler import Observation
from harness.settings import Settings


class CriteriaSampler:
    """Asked like a sampled source: says the criteria at first and after each change."""

    source = Source.OPERATOR
    place = "rules and gates files"
    loses = "since when rules and gates are in force"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._said: tuple[str, str] | None = None

    def sample(self) -> Sequence[Observation]:
        """One `criteria` where they are others than the last time; else nothing."""
        try:
            criteria = load_criteria(self._settings)
        except SettingsError:
            # Somebody is editing a file; what does not load is not in force either.
            return ()
        now = (criteria.rules.digest, criteria.gates.version)
        if now == self._said:
            return ()
        self._said = now
        event = criteria_event(criteria, at=datetime.now(UTC))
        return (Observation(kind=EventKind.CRITERIA, payload=event.payload),)

    def close(self) -> None:
        """Holds nothing."""
