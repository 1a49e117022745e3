"""The gates files that are shipped, and those that change one of them.

A preset is a whole file (`runbook`) or says what it changes of another one and why (`strict`). A
team's own file may be either.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import SettingsError
from harness.gates.definition import GateSet, read_toml, validated
from harness.resources import package_text, resource

DEFAULT = "runbook"


def preset_names() -> tuple[str, ...]:
    """The shipped presets, the default first."""
    found = (
        Path(str(entry)).stem
        for entry in resource("gates/presets").iterdir()
        if str(entry).endswith(".toml")
    )
    return tuple(sorted(found, key=lambda name: (name != DEFAULT, name)))


def preset_text(name: str) -> str:
    """A preset as it stands; SettingsError for one that there is not."""
    names = preset_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        mend = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(names)}."
        raise SettingsError(f"gates.preset = {name}: there is no such preset. {mend}")
    return package_text(f"gates/presets/{name}.toml")


def load_gates(path: Path | None = None, preset: str = DEFAULT) -> GateSet:
    """Read a gates file, or a shipped preset; SettingsError names file, key, value and mend."""
    if path is None:
        return _gates(preset_text(preset), origin=f"{preset}.toml")
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
    return _gates(text, origin=str(path))


def _gates(text: str, *, origin: str) -> GateSet:
    return validated(_whole(read_toml(text, origin=origin), origin=origin), origin=origin)


def _whole(data: Mapping[str, Any], *, origin: str) -> Mapping[str, Any]:
    """The tables with those of the preset that they extend; as they are where they extend none."""
    if "extends" not in data:
        return data
    rest = data.keys() - {"version", "extends", "decide", "spend", "change"}
    if rest:
        raise SettingsError(
            f"{origin}: {min(rest)} has no place beside extends. Say what changes in a [[change]], "
            "or write a whole file without extends."
        )
    base = str(data["extends"])
    whole = copy.deepcopy(
        dict(_whole(read_toml(preset_text(base), origin=base), origin=f"{base}.toml"))
    )
    gates = {
        f"{phase['id']}.{gate['id']}": gate for phase in whole["phase"] for gate in phase["gate"]
    }
    for number, change in enumerate(data.get("change", ()), start=1):
        name = str(change.get("gate", ""))
        if name not in gates:
            close = difflib.get_close_matches(name, gates, n=1)
            mend = f"Did you mean {close[0]}?" if close else f"Use one of: {', '.join(gates)}."
            raise SettingsError(
                f'{origin}: change {number}: gate = "{name}" is none of {base}. {mend}'
            )
        if not str(change.get("why", "")).strip():
            raise SettingsError(f"{origin}: change {number} ({name}): why is missing. Add it.")
        gates[name] |= {key: value for key, value in change.items() if key != "gate"}
    return whole | {key: data[key] for key in ("version", "decide", "spend") if key in data}
