"""By what a journal is judged: rules, gates and deadlines, read once from the settings' files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from harness.compare.rules import RuleSet, parse_rules
from harness.errors import SettingsError
from harness.gates.definition import GateSet
from harness.gates.kinds import MeanAtLeast
from harness.gates.presets import load_gates
from harness.resources import package_text
from harness.settings import Settings

_SHIPPED_RULES = "compare/default-rules.toml"
_SHIPPED = "the shipped rules"
_DEFAULT_ALPHA = 0.05
_DEFAULT_N_MIN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Everything besides the events that an assessment depends on."""

    rules: RuleSet
    gates: GateSet
    deadline_s: float
    """After this long without a sign, a silent side counts as missing; in scaled seconds."""
    since: datetime | None = None
    """Jobs created earlier are none of the shadow week; None: every recorded job belongs to it."""
    time_scale: float
    """1 in production; a rehearsal counts each recorded second this many times."""
    phase: str | None = None
    """The phase that is decided on; None for the one that the gates file names."""
    rules_origin: str = "the rules"
    """Where the rules stand, for whoever has to mend one."""

    @property
    def alpha_total(self) -> float:
        """Error probability of drawn intervals, both sides: that of the agreement gate."""
        gate = self._agreement_gate()
        return 2.0 * (gate.alpha if gate else _DEFAULT_ALPHA)

    @property
    def n_min(self) -> int:
        """Fewer jobs never decide; drawn intervals follow the agreement gate in this too."""
        gate = self._agreement_gate()
        return gate.n_min if gate else _DEFAULT_N_MIN

    def _agreement_gate(self) -> MeanAtLeast | None:
        for phase in self.gates.phase:
            for gate in phase.gate:
                if isinstance(gate, MeanAtLeast) and gate.measure == "agreement":
                    return gate
        return None


def load_criteria(settings: Settings, *, phase: str | None = None) -> Criteria:
    """Read the rules and gates that the settings name; SettingsError if a file is wrong.

    phase: decide on this one; SettingsError where the gates have none of that name.
    """
    rules, origin = load_rules(settings.compare.rules)
    gates = load_gates(settings.gates.file, settings.gates.preset)
    known = [one.id for one in gates.phase]
    if phase is not None and phase not in known:
        raise SettingsError(
            f"phase = {phase}: the gates have no such phase. Use one of: {', '.join(known)}."
        )
    return Criteria(
        rules=rules,
        rules_origin=origin,
        phase=phase,
        gates=gates,
        deadline_s=settings.compare.deadline,
        since=settings.compare.since,
        time_scale=settings.compare.time_scale,
    )


def shipped_rules_text() -> str:
    """The rules file that a comparison starts with, as it stands."""
    return package_text(_SHIPPED_RULES)


@cache
def shipped_rules() -> RuleSet:
    """The rules that a comparison starts with."""
    return parse_rules(shipped_rules_text(), origin=_SHIPPED)


def load_rules(path: Path | None) -> tuple[RuleSet, str]:
    """The rules of a file, or the shipped ones, and what to call where they stand."""
    if path is None:
        return shipped_rules(), _SHIPPED
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"compare.rules = {path}: cannot be read ({error}). Give a readable UTF-8 TOML file, "
            "or leave compare.rules out to use the shipped rules."
        ) from error
    return parse_rules(text, origin=str(path)), str(path)
