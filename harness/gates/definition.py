"""Gates as data: phases and criteria, validated. Judges nothing; opens nothing."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SettingsError
from harness.gates.kinds import ID, KINDS, Gate, StatisticalGate


class Phase(BaseModel):
    """A step of the migration and the gates that guard it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID)
    title: str = Field(min_length=1)
    needs: tuple[str, ...] = ()
    """Phases that must be GO as well."""
    since: Literal["cutover"] | None = None
    """The mark from which its evidence counts; all evidence otherwise."""
    gate: tuple[Gate, ...] = Field(min_length=1)


class GateSet(BaseModel):
    """All phases, in the order in which they come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The file format's version; `version` names the content, so that a report can say by which
    # criteria it was made.
    format: Literal[1] = Field(alias="version")
    decide: str | None = None
    """The phase that is decided on unless a report names another; all of them otherwise."""
    spend: Literal["none", "attempts"] = "none"
    """attempts: the k-th version of the candidate gets alpha/(k(k+1)), so that trying until GO
    does not inflate the chance of a false one."""
    phase: tuple[Phase, ...] = Field(min_length=1)

    @property
    def version(self) -> str:
        """Twelve hex digits that change whenever any criterion does."""
        return _digest(self.model_dump(mode="json"))

    @property
    def digests(self) -> dict[str, str]:
        """By the name that results use: twelve hex digits of each gate."""
        return {
            f"{phase.id}.{gate.id}": _digest(gate.model_dump(mode="json"))
            for phase in self.phase
            for gate in phase.gate
        }

    @property
    def statistical(self) -> int:
        """Number of required gates that are judged by evidence over jobs."""
        return sum(
            gate.required and isinstance(gate, StatisticalGate)
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

    def deciding(self, phase: str | None = None) -> tuple[str, ...]:
        """The phases that a decision on `phase` rests on: itself and those that it needs.

        phase: None for the one that the file decides on. Raises KeyError for an unknown one.
        """
        chosen = phase or self.decide
        if chosen is None:
            return tuple(one.id for one in self.phase)
        of = {one.id: one for one in self.phase}
        wanted, left = set[str](), [chosen]
        while left:
            name = left.pop()
            if name not in wanted:
                wanted.add(name)
                left.extend(of[name].needs)
        return tuple(one.id for one in self.phase if one.id in wanted)


def parse_gates(text: str, *, origin: str) -> GateSet:
    """Parse a whole gates file; SettingsError lists every problem, one line each."""
    return validated(read_toml(text, origin=origin), origin=origin)


def read_toml(text: str, *, origin: str) -> dict[str, Any]:
    """The tables of a gates file; SettingsError where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{origin}: not valid TOML ({error}). Mend the line it names."
        ) from None


def validated(data: Mapping[str, Any], *, origin: str) -> GateSet:
    """The gates of such tables; SettingsError lists every problem, one line each."""
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


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def _check_names(gates: GateSet, origin: str) -> None:
    phases = [phase.id for phase in gates.phase]
    for name in phases:
        if phases.count(name) > 1:
            raise SettingsError(f'{origin}: two phases have id = "{name}". Rename one.')
    if gates.decide is not None and gates.decide not in phases:
        raise SettingsError(
            f'{origin}: decide = "{gates.decide}" is no phase. Use one of: {", ".join(phases)}.'
        )
    for phase in gates.phase:
        names = [gate.id for gate in phase.gate]
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(
                    f'{origin}: phase {phase.id}: two gates have id = "{name}". Rename one.'
                )
        for needed in phase.needs:
            if needed not in phases or needed == phase.id:
                raise SettingsError(
                    f'{origin}: phase {phase.id}: needs = "{needed}" is no other phase. Use one '
                    f"of: {', '.join(one for one in phases if one != phase.id)}."
                )
        if not any(gate.required for gate in phase.gate):
            raise SettingsError(
                f"{origin}: phase {phase.id}: no gate is required, so nothing could ever decide "
                "it. Set required = true for at least one."
            )
        _check_numbers(phase, origin)


def _check_numbers(phase: Phase, origin: str) -> None:
    for gate in phase.gate:
        where = f"{origin}: phase {phase.id}: gate {gate.id}"
        if gate.kind == "mean_at_least" and (gate.fail_below or 0.0) > gate.threshold:
            raise SettingsError(
                f"{where}: fail_below = {gate.fail_below} is above threshold = {gate.threshold}, "
                "so it could pass and fail at once. Lower it."
            )
        if gate.kind == "ramp" and list(gate.stages) != sorted(set(gate.stages)):
            raise SettingsError(
                f"{where}: stages = {[*gate.stages]} do not rise. List each once, lowest first."
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
        return f"{prefix}: kind is missing. Add one of: {', '.join(KINDS)}."
    if kind == "union_tag_invalid":
        given = str(siblings.get("kind"))
        close = difflib.get_close_matches(given, KINDS, n=1)
        mend = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(KINDS)}."
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
        elif part in KINDS and isinstance(table, Mapping) and part not in table:
            continue  # pydantic puts the discriminator's value into the path
        else:
            key = part
            if part in ("phase", "gate") and isinstance(table, Mapping):
                expecting = part
                inner = table.get(part)
                if isinstance(inner, list):
                    table = inner
    return names, key, table if isinstance(table, Mapping) else {}


def _known_keys(table: Mapping[str, Any]) -> list[str]:
    if table.get("kind") in KINDS:
        return list(KINDS[table["kind"]].model_fields)
    if "gate" in table:
        return list(Phase.model_fields)
    return ["version", *(name for name in GateSet.model_fields if name != "format")]
