"""The parser of test_decoding: values that look like syntax, and the forms of each change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SourceError
from harness.record.slot.changes import UNCHANGED, Change, Operation
from harness.record.slot.decoding_text import parse_test_decoding

COMMIT = "COMMIT 529 (at 2026-11-24 18:08:24.65+00)"


def changes(*texts: str) -> tuple[Change, ...]:
    messages = [(529, 16, "BEGIN 529"), *((529, 16, text) for text in texts), (529, 32, COMMIT)]
    (found,) = parse_test_decoding(messages)
    assert (found.xid, found.end) == (529, 32)
    assert found.committed_at == datetime(2026, 11, 24, 18, 8, 24, 650_000, tzinfo=UTC)
    return found.changes


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def test_types_and_values_of_every_kind_are_told_apart() -> None:
    (row,) = changes(
        "table public.jobs: INSERT: id[uuid]:'a-1' n[integer]:-3 f[double precision]:NaN"
        " ok[boolean]:true tags[text[]]:'{a,b}' bits[bit]:B'101' none[text]:null"
        ' word[text]:\'null\' "Odd ""name"" ["[character varying]:\'\' "m"["x""].y"]:\'z\''
    )
    assert row.operation == Operation.INSERT
    assert row.new == {
        "id": "a-1",
        "n": "-3",
        "f": "NaN",
        "ok": "true",
        "tags": "{a,b}",
        "bits": "101",
        "none": None,
        "word": "null",
        'Odd "name" [': "",
        "m": "z",
    }
    assert row.relation.columns["tags"] == "text[]"
    assert row.relation.columns["f"] == "double precision"
    assert row.relation.columns["m"] == '"x""].y"'


def test_an_update_tells_the_old_key_only_if_it_changed_and_no_large_value_left_alone() -> None:
    moved, kept = changes(
        "table public.jobs: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 x[text]:'y'",
        "table public.jobs: UPDATE: id[integer]:2 x[jsonb]:unchanged-toast-datum",
    )
    assert (moved.old, moved.new) == ({"id": "1"}, {"id": "2", "x": "y"})
    assert (kept.old, kept.new) == ({}, {"id": "2", "x": UNCHANGED})


def test_a_delete_tells_the_key_or_nothing() -> None:
    known, unknown = changes(
        "table public.jobs: DELETE: id[integer]:1",
        "table public.jobs: DELETE: (no-tuple-data)",
    )
    assert (known.operation, known.old, known.new) == (Operation.DELETE, {"id": "1"}, {})
    assert (unknown.old, unknown.new) == ({}, {})


def test_truncate_names_every_table() -> None:
    found = changes('table public.jobs, "Odd"."a, b": TRUNCATE: restart_seqs cascade')
    names = [(one.operation, one.relation.schema, one.relation.name) for one in found]
    assert names == [
        (Operation.TRUNCATE, "public", "jobs"),
        (Operation.TRUNCATE, "Odd", "a, b"),
    ]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        min_size=1,
        max_size=6,
    )
)
def test_no_text_in_a_value_is_taken_for_syntax(texts: list[str]) -> None:
    columns = " ".join(f"c{number}[text]:{quoted(text)}" for number, text in enumerate(texts))
    (row,) = changes(f"table public.jobs: UPDATE: old-key: {columns} new-tuple: id[integer]:1")
    assert list(row.old.values()) == texts
    assert row.new == {"id": "1"}


@pytest.mark.parametrize(
    "text",
    ["table public.jobs: MERGE: id[integer]:1", "table jobs: INSERT: a[text]:'secret'", "PREPARE"],
)
def test_another_form_is_an_error_that_tells_no_value(text: str) -> None:
    with pytest.raises(SourceError, match="form that is not known") as caught:
        changes(text)
    assert "secret" not in str(caught.value)
