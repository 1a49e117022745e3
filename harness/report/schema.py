"""The JSON Schema of the report, made of the very dataclasses that the report is made of. Pure.

``docs/report.schema.json`` is what `report_schema` gives; ``make lint`` compares the two. Within
one schema_version properties may be added and nothing else may change.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from harness.assessment import Assessment, GateResult, Interval, PhaseResult
from harness.model import Verdict
from harness.report.json_report import COUNTS, SCHEMA_VERSION
from harness.report.since import EventsBetween, Since

_MAY_BE_INFINITE = frozenset({(Interval, "low"), (Interval, "high")})
"""Numbers that are null where no bound exists."""
_SIGNED = frozenset({(EventsBetween, name) for name in
                     ("jobs", "jobs_compared", "submissions_compared")})  # fmt: skip
_TIME = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
}
_Schema = dict[str, Any]
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}


def to_schema() -> str:
    """`report_schema` as indented JSON with a final newline."""
    return json.dumps(report_schema(), ensure_ascii=False, indent=2) + "\n"


def report_schema() -> _Schema:
    """JSON Schema, draft 2020-12: every property required, no other allowed."""
    defs: dict[str, _Schema] = {}
    properties: dict[str, _Schema] = {"schema_version": {"const": SCHEMA_VERSION}}
    whole = _properties(Assessment, defs)
    for name, shape in whole.items():
        properties[name] = shape
        if name == "phases":
            gates = {"type": "array", "items": _reference(GateResult, defs)}
            properties["gates"] = {"description": "The gates of all phases, in one list."} | gates
    properties["since"] = {
        "description": "What changed since a former report; null where none was given.",
        "anyOf": [_reference(Since, defs), {"type": "null"}],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:shadow-harness:report:{SCHEMA_VERSION}",
        "title": "Go/no-go report of shadow-harness",
        "description": "Written by: shadow report --format json. Times are ISO 8601 in UTC, "
        "durations in seconds (_s), shares lie in [0, 1]. Personal values are masked.",
        **_object(properties),
        "$defs": dict(sorted(defs.items())),
    }


def _object(properties: Mapping[str, _Schema]) -> _Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _reference(kind: type, defs: dict[str, _Schema]) -> _Schema:
    name = kind.__name__
    if name not in defs:
        defs[name] = {}  # a class that holds itself must not be described for ever
        if issubclass(kind, Enum):
            defs[name] = {"description": _first_line(kind), "enum": [word.value for word in kind]}
        else:
            shape = _object(_properties(kind, defs))
            defs[name] = {"description": _first_line(kind)} | shape
    return {"$ref": f"#/$defs/{name}"}


def _properties(kind: type, defs: dict[str, _Schema]) -> dict[str, _Schema]:
    hints, notes = get_type_hints(kind), _notes(kind)
    found: dict[str, _Schema] = {}
    for item in fields(kind):
        shape = _field(kind, item.name, hints[item.name], defs)
        note = notes.get(item.name)
        found[item.name] = {"description": note} | shape if note else shape
    return found


def _field(kind: type, name: str, hint: Any, defs: dict[str, _Schema]) -> _Schema:
    if (kind, name) in COUNTS:
        words = {"propertyNames": _reference(Verdict, defs)} if name == "verdicts" else {}
        return {
            "type": "object",
            **words,
            "additionalProperties": _COUNT,
        }
    if kind is PhaseResult and name == "gates":
        return {"type": "array", "items": {"type": "string"}}
    if (kind, name) in _MAY_BE_INFINITE:
        return {"type": ["number", "null"]}
    if (kind, name) in _SIGNED:
        return {"type": "integer"}
    return _shape(hint, defs)


def _shape(hint: Any, defs: dict[str, _Schema]) -> _Schema:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        inner = [_shape(part, defs) for part in parts if part is not type(None)]
        if len(inner) == 1 and set(inner[0]) == {"type"} and isinstance(inner[0]["type"], str):
            return {"type": [inner[0]["type"], "null"]}
        return {"anyOf": [*inner, {"type": "null"}]}
    if origin is tuple and parts[1:] == (...,):
        return {"type": "array", "items": _shape(parts[0], defs)}
    if origin is tuple:
        shapes = [_shape(part, defs) for part in parts]
        size = len(shapes)
        return {"type": "array", "prefixItems": shapes, "minItems": size, "maxItems": size}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _shape(parts[1], defs)}
    if hint is datetime:
        return dict(_TIME)
    simple: dict[type, _Schema] = {
        str: {"type": "string"},
        bool: {"type": "boolean"},
        int: _COUNT,
        float: {"type": "number"},
    }
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and (issubclass(hint, Enum) or is_dataclass(hint)):
        return _reference(hint, defs)
    raise TypeError(f"no JSON shape is known for {hint!r}")


def _first_line(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _notes(kind: type) -> dict[str, str]:
    """Field → the string that stands below it in the source."""
    source = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    body = next(
        node.body
        for node in source.body
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    return {
        item.target.id: " ".join(after.value.value.replace("``", "`").split())
        for item, after in pairwise(body)
        if isinstance(item, ast.AnnAssign)
        and isinstance(item.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
