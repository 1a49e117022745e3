"""What is told of a value when the server cannot read it any more."""

from __future__ import annotations

from typing import Any

import pytest

from harness.record.slot.row_json import plain_json


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        (None, "integer", None),
        ("7", "integer", 7),
        ("1.50", "numeric(5,2)", 1.5),
        ("NaN", "double precision", "NaN"),
        ("-Infinity", "real", "-Infinity"),
        ("t", "boolean", True),
        ("false", "boolean", False),
        ('{"a": [1, null]}', "jsonb", {"a": [1, None]}),
        ("2026-11-24 18:08:24.5+00", "timestamp with time zone", "2026-11-24T18:08:24.5+00:00"),
        ("2026-11-24 18:08:24", "timestamp without time zone", "2026-11-24T18:08:24"),
        ("infinity", "timestamp with time zone", "infinity"),
        ("sad", "public.mood", "sad"),
        ("7", None, "7"),
        ("seven", "integer", "seven"),
    ],
)
def test_json_itself_tells_some_types(text: str | None, kind: str | None, shown: Any) -> None:
    assert plain_json(text, kind) == shown
