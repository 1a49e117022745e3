"""Gates as data: phases and criteria from a TOML file, validated. Judges nothing.

Only `load_gates` reads a file; `parse_gates` takes text.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SettingsError

SHIPPED = "shadow-week.toml"
_ID = r"^[a-z][a-z0-9_-]*$"


class _Gate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str = Field(pattern=_ID)
    title: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    """Who acts on it."""
    when_red: str = Field(min_length=1)
    """What to do when it fails."""
    required: bool = True
    """A gate that is not required is shown and decides nothing."""


class _StatisticalGate(_Gate):
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """One-sided error probability of a false pass, at all looks together."""
    n_min: int = Field(default=30, ge=1)
    """Fewer jobs never decide: with one or two, a single failure would."""
    coverage_floor: float = Field(default=0.9, ge=0, le=1)
    """Least share of the admitted jobs that must be measured."""


class MeanAtLeast(_StatisticalGate):
    """The mean of a share per job is above a threshold."""

    kind: Literal["mean_at_least"]
    measure: Literal["agreement", "success"]
    threshold: float = Field(gt=0, lt=1)


class QuantileBelow(_StatisticalGate):
    """A percentile of a latency is below a number of seconds."""

    kind: Literal["quantile_below"]
    measure: Literal["end_to_end"]
    quantile: float = Field(gt=0, lt=1)
    threshold_s: float = Field(gt=0)


class ZeroCount(_Gate):
    """Nothing of a kind may happen; the first confirmed case fails."""

    kind: Literal["zero_count"]
    measure: Literal["lost_jobs", "dead_letters", "prefect_errors", "replay_escapes"]
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """For the rate that zero cases so far do not exclude; lost_jobs only."""
    n_min: int = Field(default=30, ge=1)
    """Fewer jobs than this with an outcome leave lost_jobs open."""
    coverage_floor: float = Field(default=0.9, ge=0, le=1)
    """Least share of the recorded time that samples must cover; dead_letters and prefect_errors."""


class AllProcessed(_Gate):
    """Every admitted job came out at the candidate's end; a census, not an estimate."""

    kind: Literal["all_processed"]


class AttestationGate(_Gate):
    """A named person has stated it, and the statement has not expired."""

    kind: Literal["attestation"]
    name: str = Field(pattern=_ID)


Gate = Annotated[
    MeanAtLeast | QuantileBelow | ZeroCount | AllProcessed | AttestationGate,
    Field(discriminator="kind"),
]


class Phase(BaseModel):
    """A step of the migration and the gates that guard it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=_ID)
    title: str = Field(min_length=1)
    gate: tuple[Gate, ...] = Field(min_length=1)


class GateSet(BaseModel):
    """All phases, in the order in which they come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The file format's version; `version` names the content, so that a report can say by which
    # criteria it was made.
    format: Literal[1] = Field(alias="version")
    phase: tuple[Phase, ...] = Field(min_length=1)

    @property
    def version(self) -> str:
        """Twelve hex digits that change whenever any criterion does."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def statistical(self) -> int:
        """Number of required gates that are judged by evidence over jobs."""
        return sum(
            gate.required and isinstance(gate, _StatisticalGate)
            for phase in self.phase
            for gate in phase.gate
        )

    def gate(self, identifier: str) -> Gate:
        """The gate that a result calls `identifier`, such as ``shadow.zero_loss``."""
        for phase in self.phase:
            for gate in phase.gate:
                if f"{phase.id}.{gate.id}" == identifier:
                    return gate
        raise KeyError(identifier)


def load_gates(path: Path | None = None) -> GateSet:
    """Read a gates file, or the shipped one; SettingsError names file, key, value and mend."""
    if path is None:
        text = files("harness.gates").joinpath(SHIPPED).read_text(encoding="utf-8")
        return parse_gates(text, origin=SHIPPED)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"gates.file = {path}: there is no such file. Name an existing one, or leave "
            "gates.file out to use the shipped gates."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"gates.file = {path}: cannot be read ({error}). Give a readable UTF-8 TOML file."
        ) from error
    return parse_gates(text, origin=str(path))


def parse_gates(text: str, *, origin: str) -> GateSet:
    """Parse a gates file; SettingsError lists every problem, one line each."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{origin}: not valid TOML ({error}). Mend the line it names."
        ) from None
    try:
        gates = GateSet.model_validate(data)
    except ValidationError as error:
        # An item that is wrong is not counted, so pydantic also calls its list too short.
        lines = [
            _problem(origin, data, part)
            for part in error.errors()
            if not (part["type"] == "too_short" and part["input"])
        ]
        raise SettingsError("\n".join(lines)) from None
    _check_names(gates, origin)
    return gates


def _check_names(gates: GateSet, origin: str) -> None:
    phases = [phase.id for phase in gates.phase]
    for phase in gates.phase:
        if phases.count(phase.id) > 1:
            raise SettingsError(f'{origin}: two phases have id = "{phase.id}". Rename one.')
        names = [gate.id for gate in phase.gate]
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(
                    f'{origin}: phase {phase.id}: two gates have id = "{name}". Rename one.'
                )
        if not any(gate.required for gate in phase.gate):
            raise SettingsError(
                f"{origin}: phase {phase.id}: no gate is required, so nothing could ever decide "
                "it. Set required = true for at least one."
            )


def _problem(origin: str, data: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """One validation error as: where, key = value, mend."""
    where, key, siblings = _place(data, error["loc"])
    prefix = ": ".join([origin, *where])
    given = error.get("input")
    # A table or list would bury the message; its key is enough to find it.
    value = "…" if isinstance(given, dict | list) else json.dumps(given, default=str)
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _known_keys(siblings)
        close = difflib.get_close_matches(key, known, n=1)
        mend = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(known)}."
        return f"{prefix}: {key} = {value} is not a setting. {mend}"
    if kind == "missing":
        return f"{prefix}: {key} is missing. Add it."
    if kind == "union_tag_not_found":
        return f"{prefix}: kind is missing. Add one of: {', '.join(_kinds())}."
    if kind == "union_tag_invalid":
        given = str(siblings.get("kind"))
        close = difflib.get_close_matches(given, _kinds(), n=1)
        mend = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(_kinds())}."
        return f'{prefix}: kind = "{given}" is not a kind of gate. {mend}'
    return f"{prefix}: {key} = {value} is not allowed. {error['msg']}."


def _place(
    data: Mapping[str, Any], loc: Sequence[str | int]
) -> tuple[list[str], str, Mapping[str, Any]]:
    """Name phase and gate by their ids instead of their numbers; return also key and table."""
    names: list[str] = []
    table: Any = data
    key = "file"
    expecting = ""
    for part in loc:
        if isinstance(part, int):
            table = table[part] if isinstance(table, list) and part < len(table) else {}
            label = table.get("id", f"number {part + 1}") if isinstance(table, Mapping) else part
            names.append(f"{expecting} {label}")
        elif part in _kinds() and isinstance(table, Mapping) and part not in table:
            continue  # pydantic puts the discriminator's value into the path
        else:
            key = part
            if part in ("phase", "gate") and isinstance(table, Mapping):
                expecting = part
                inner = table.get(part)
                if isinstance(inner, list):
                    table = inner
    return names, key, table if isinstance(table, Mapping) else {}


_MODELS: dict[str, type[BaseModel]] = {
    "mean_at_least": MeanAtLeast,
    "quantile_below": QuantileBelow,
    "zero_count": ZeroCount,
    "all_processed": AllProcessed,
    "attestation": AttestationGate,
}


def _kinds() -> list[str]:
    return list(_MODELS)


def _known_keys(table: Mapping[str, Any]) -> list[str]:
    if table.get("kind") in _MODELS:
        return list(_MODELS[table["kind"]].model_fields)
    return list(Phase.model_fields) if "gate" in table else ["version", "phase"]
