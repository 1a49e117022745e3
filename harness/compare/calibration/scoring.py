"""What a calibration found: scores per kind, survivors by cause, rules that blind. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.compare.calibration.causes import Cause
from harness.compare.calibration.kinds import Effect
from harness.stats.visible import chance_to_see, smallest_visible_rate

BLINDING_SHARE = 0.05
"""A rule that hides more than this of the faults planted in a field blinds the comparison there."""
ENOUGH = 0.99
"""The score that is asked for by default."""
RATES = (0.001, 0.01, 0.05)
"""Shares of jobs for which a kind says how surely a fault that hits them would have been seen."""
_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted fault and what became of it."""

    kind: str
    field: str
    fault: str
    effect: Effect
    mode: str
    job_id: str
    directory: str | None
    shown: bool
    cause: Cause | None = None
    """Why it did not show, of one that should have, or is not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindScore:
    """One kind of fault: how much of it was caught."""

    kind: str
    field: str
    fault: str
    effect: Effect
    places: int
    """Pairs (or jobs, for a fault of events) where it could have been planted."""
    jobs: int
    """Jobs among these places: so many independent chances to see it."""
    planted: int
    shown: int
    visible_rate: float | None
    """Smallest share of jobs that it must hit to be seen; None where nothing could be sure."""
    chances: tuple[tuple[float, float], ...]
    """(share of jobs it hits, probability that it is seen at least once)."""

    @property
    def score(self) -> float:
        """Share of the planted that showed."""
        return self.shown / self.planted


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivors:
    """Planted faults that did not show, for one cause."""

    rules: tuple[str, ...]
    cause: str
    mutants: int
    counted: bool
    """Whether they lower the score; what is not judged does not."""
    kinds: tuple[tuple[str, int], ...]
    examples: tuple[tuple[str, str, str | None, str], ...]
    """(mode, job, directory, fault)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """How much of the faults planted in a field one rule hides, alone or with others."""

    rule: str
    field: str
    hidden: int
    planted: int
    kinds: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Of what was planted in the field."""
        return self.hidden / self.planted

    @property
    def blinds(self) -> bool:
        """Whether it hides more than a rule may."""
        return self.share > BLINDING_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """All that was found, in a stable order."""

    kinds: tuple[KindScore, ...]
    survivors: tuple[Survivors, ...]
    survived: tuple[Mutant, ...]
    """Every one that lowers the score, each with its cause."""
    hiding: tuple[Hiding, ...]
    false_alarms: tuple[Mutant, ...]
    """Innocent changes that showed as a difference."""

    @property
    def planted(self) -> int:
        """Faults that change what happened or was sent."""
        return sum(k.planted for k in self.kinds if k.effect is Effect.CHANGES)

    @property
    def caught(self) -> int:
        """Those of them that showed."""
        return sum(k.shown for k in self.kinds if k.effect is Effect.CHANGES)

    @property
    def innocent(self) -> int:
        """Changes that mean nothing."""
        return sum(k.planted for k in self.kinds if k.effect is Effect.INNOCENT)

    @property
    def score(self) -> float | None:
        """The mutation score, in [0, 1]; None where nothing could be planted."""
        return self.caught / self.planted if self.planted else None

    @property
    def blinding(self) -> tuple[Hiding, ...]:
        """Rules that hide more of a field than a rule may."""
        return tuple(hiding for hiding in self.hiding if hiding.blinds)


def scored(
    mutants: Sequence[Mutant],
    places: Mapping[str, tuple[int, int]],
    *,
    alpha: float,
    rates: Sequence[float] = RATES,
) -> Scores:
    """Count what became of the mutants. places: per kind the places and jobs it could be in.

    rates: shares of jobs, in [0, 1], at which each kind's chance to be seen is told.
    """
    by_kind: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_kind[mutant.kind].append(mutant)
    faults = [m for m in mutants if m.effect is Effect.CHANGES]
    return Scores(
        kinds=tuple(
            _kind(found, *places[kind], alpha=alpha, rates=rates)
            for kind, found in sorted(by_kind.items())
        ),
        survivors=_survivors([m for m in mutants if m.cause and not m.shown]),
        survived=tuple(m for m in faults if not m.shown),
        hiding=_hiding(faults),
        false_alarms=tuple(m for m in mutants if m.effect is Effect.INNOCENT and m.shown),
    )


def _kind(
    found: list[Mutant], places: int, jobs: int, *, alpha: float, rates: Sequence[float]
) -> KindScore:
    first, seen = found[0], sum(m.shown for m in found)
    detection = seen / len(found)
    judged = first.effect is Effect.CHANGES
    return KindScore(
        kind=first.kind,
        field=first.field,
        fault=first.fault,
        effect=first.effect,
        places=places,
        jobs=jobs,
        planted=len(found),
        shown=seen,
        visible_rate=smallest_visible_rate(jobs, detection=detection, alpha=alpha)
        if judged
        else None,
        chances=tuple((rate, chance_to_see(jobs, rate=rate, detection=detection)) for rate in rates)
        if judged
        else (),
    )


def _survivors(hidden: list[Mutant]) -> tuple[Survivors, ...]:
    groups: dict[tuple[Cause, bool], list[Mutant]] = defaultdict(list)
    for mutant in hidden:
        if mutant.cause:
            groups[mutant.cause, mutant.effect is Effect.CHANGES].append(mutant)
    found = [
        Survivors(
            rules=cause.rules,
            cause=cause.sentence,
            mutants=len(members),
            counted=counted,
            kinds=_most(Counter(m.kind for m in members)),
            examples=tuple((m.mode, m.job_id, m.directory, m.fault) for m in members[:_EXAMPLES]),
        )
        for (cause, counted), members in groups.items()
    ]
    return tuple(sorted(found, key=lambda s: (not s.counted, -s.mutants, s.cause)))


def _hiding(faults: list[Mutant]) -> tuple[Hiding, ...]:
    planted = Counter(m.field for m in faults)
    by_rule: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for mutant in faults:
        for rule in mutant.cause.rules if mutant.cause and not mutant.shown else ():
            by_rule[rule, mutant.field][mutant.kind] += 1
    found = [
        Hiding(rule=rule, field=field, hidden=kinds.total(), planted=planted[field],
               kinds=_most(kinds))
        for (rule, field), kinds in by_rule.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda h: (-h.share, h.rule, h.field)))


def _most(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
