"""The bulk append: the same events as one by one, exactly once, all or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.journal.bulk import Limits, RowFile, append_rows
from harness.journal.connect import opened
from harness.journal.store import Journal, key_hash
from harness.journal.verify import verify
from harness.model import Appended, Batch, EventKind, Watermark
from harness.record.copy.plan import row_mapping
from harness.record.postgres.introspect import Table
from harness.record.postgres.tables import TABLES, TableSpec, event_key, make_event

READ_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SPECS = {spec.name: spec for spec in TABLES}
NASTY = (
    "", " ", "\t", "a\tb\nc\r\nd", '"', "'", "\\", "\\N", "\\.", "\\t", "\\u0000", ",", "NULL",
    "None", "null", "\x01\x02\x1f\x7f", "\u2028\u2029", "Grüße 🦆", "e\u0301 é", "\ufeff", "NaN",
    "-Infinity", '{"a": "}\\""}', "x" * 5000, "%s {table} $1",
)  # fmt: skip
TIMES = (
    None, "2026-11-20T09:00:00+00:00", "2026-11-20T09:00:00.5+00:00", "2026-11-20T09:00:00.000001",
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "10000-01-01T00:00:00+00:00",
    "0044-03-15T00:00:00+00:00 BC", "infinity", "-infinity", "2026-11-20",
)  # fmt: skip
PLACES = (
    None, "", " ", "https://WWW.Maple.Example:8443/add?x=1#y", "Maple Listings", "maple.example",
    "\u00a0ÉCOLE.example\u2003", "İstanbul.example/ΑΣ", "ftp://user:pw@host.example/", "://",
    "a\nb.example",
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def table_of(spec: TableSpec) -> Table:
    return Table(
        spec=spec, schema="public", columns={}, key=spec.identity, created=None, touched=None
    )


def make_file(
    path: Path, rows: Sequence[Mapping[str, Any]], versions: Sequence[int | None]
) -> RowFile:
    """The rows as PostgreSQL writes jsonb: spaces after separators, letters as they are."""
    lines = [
        f"{'' if version is None else version}\t{json.dumps(row, ensure_ascii=False)}\n".encode()
        for row, version in zip(rows, versions, strict=True)
    ]
    path.write_bytes(b"".join(lines))
    return RowFile(path=path, longest_line=max(map(len, lines), default=0), read_at=READ_AT)


def append_both(
    folder: Path, spec: TableSpec, rows: Sequence[Mapping[str, Any]]
) -> tuple[Journal, Journal]:
    """The rows one by one in the first journal and at once in the second."""
    one, other = (Journal.create(folder / f"{name}.duckdb") for name in ("one", "other"))
    versions = [None if spec.append_only else 1000 + number for number in range(len(rows))]
    events = tuple(
        make_event(
            spec,
            row,
            key=event_key(spec, spec.identity, row, version or 0),
            snapshot_at=READ_AT,
        )
        for row, version in zip(rows, versions, strict=True)
    )
    one.append(Batch(events=events, tier="copy"))
    append_file(other, make_file(folder / "rows.tsv", rows, versions), spec)
    return one, other


def append_file(
    journal: Journal, file: RowFile, spec: TableSpec, *marks: Watermark, memory_mb: int = 200
) -> Appended:
    limits = Limits(memory_mb=memory_mb, spill=journal.path.parent)
    return append_rows(
        journal, file, row_mapping(table_of(spec)), limits=limits, watermarks=marks, tier="copy"
    )


def events_of(journal: Journal) -> list[tuple[Any, ...]]:
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT seq, source, kind, key, job_id, directory, epoch_us(occurred_at), payload"
            " FROM events_now ORDER BY seq"
        )
    return [(*row[:-1], json.loads(row[-1])) for row in rows]


def nasty_rows(spec: TableSpec) -> list[dict[str, Any]]:
    """Every nasty text, time and place, each at least once."""
    count = max(len(NASTY), len(TIMES), len(PLACES)) * 2
    times = spec.changed + spec.created
    rows = []
    for number in range(count):
        row: dict[str, Any] = {
            "text": NASTY[number % len(NASTY)],
            "nested": {"x": [None, 1.5, 10**30, -0.001, NASTY[-number % len(NASTY)]], "": {}},
            **{column: f"{number}-{NASTY[number % len(NASTY)]}" for column in spec.identity},
        }
        for shift, column in enumerate(times):
            row[column] = TIMES[(number + shift * 3) % len(TIMES)]
        for path in spec.job:
            column, _, key = path.partition(".")
            value = [None, number, f"job {NASTY[number % len(NASTY)]}"][number % 3]
            row.setdefault(column, {key: value} if key else value)
        for shift, column in enumerate((spec.directory_url, spec.directory_name)):
            if column:
                row[column] = PLACES[(number + shift * 2) % len(PLACES)]
        rows.append(row)
    return rows


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_bulk_events_are_those_of_the_same_rows_one_by_one(tmp_path: Path, spec: TableSpec) -> None:
    rows = nasty_rows(spec)
    one, other = append_both(tmp_path, spec, rows)
    assert events_of(other) == events_of(one)
    assert len(events_of(other)) == len(rows)
    assert verify(other.path).clean
    with one.reader() as a, other.reader() as b:
        for view in ("submissions_now", "jobs_now"):
            query = f"SELECT * FROM {view} ORDER BY ALL"
            assert str(b.rows(query)) == str(a.rows(query))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(payloads=st.lists(json_values, min_size=1, max_size=20), text=TEXT)
def test_any_row_keeps_its_value(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[Any], text: str
) -> None:
    rows = [
        {"id": f"{number}{text}", "job_id": text, "directory_name": text, "details": value}
        for number, value in enumerate(payloads)
    ]
    one, other = append_both(tmp_path_factory.mktemp("rows"), SPECS[EventKind.QUEUE_HISTORY], rows)
    assert events_of(other) == events_of(one)


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    digits = "1234567890123456789012345678901234567890.10"
    path = tmp_path / "rows.tsv"
    path.write_text(f'\t{{"id": "a", "price": {digits}, "huge": 1e400}}\n')
    file = RowFile(path=path, longest_line=100, read_at=READ_AT)
    append_file(journal, file, SPECS[EventKind.QUEUE_HISTORY])
    with journal.reader() as reader:
        ((payload,),) = reader.rows("SELECT payload FROM events_now")
    assert digits in payload


def test_a_file_appended_again_adds_nothing_and_an_overlap_only_what_is_new(
    tmp_path: Path,
) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    spec = SPECS[EventKind.QUEUE_HISTORY]
    rows = [{"id": str(number)} for number in range(100)]
    first = make_file(tmp_path / "a.tsv", rows[:60], [None] * 60)
    assert append_file(journal, first, spec).new == 60
    again = append_file(journal, first, spec)
    assert (again.new, again.known) == (0, 60)
    over = append_file(journal, make_file(tmp_path / "b.tsv", rows[40:], [None] * 60), spec)
    assert (over.new, over.known, over.first_seq, over.last_seq) == (40, 20, 61, 100)
    assert [event[7]["id"] for event in events_of(journal)] == [row["id"] for row in rows]
    assert verify(journal.path).clean


def test_what_was_appended_one_by_one_is_known_to_the_bulk_append(tmp_path: Path) -> None:
    spec = SPECS[EventKind.JOBS]
    rows = nasty_rows(spec)
    one, _ = append_both(tmp_path, spec, rows)
    versions = [1000 + number for number in range(len(rows))]
    again = append_file(one, make_file(tmp_path / "again.tsv", rows, versions), spec)
    assert (again.new, again.known) == (0, len(rows))


def test_the_order_of_a_file_larger_than_a_reader_s_buffer_is_the_order_of_the_journal(
    tmp_path: Path,
) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    rows = [{"id": str(number), "pad": "x" * 900} for number in range(80_000)]
    file = make_file(tmp_path / "rows.tsv", rows, [None] * len(rows))
    assert append_file(journal, file, SPECS[EventKind.QUEUE_HISTORY]).new == len(rows)
    with journal.reader() as reader:
        ((astray,),) = reader.rows(
            "SELECT count(*) FROM events_now WHERE seq - 1 <> (payload->>'$.id')::BIGINT"
        )
    assert astray == 0


def test_a_row_longer_than_duckdb_s_own_limit_is_taken(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    rows = [{"id": "a", "log": "x" * 5_000_000}, {"id": "b", "log": ""}]
    file = make_file(tmp_path / "rows.tsv", rows, [None, None])
    assert append_file(journal, file, SPECS[EventKind.QUEUE_HISTORY]).new == 2
    assert [event[7] for event in events_of(journal)] == rows


def test_a_row_larger_than_the_memory_that_is_meant_for_all_is_taken(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    rows = [{"id": "a", "log": "x" * 30_000_000}, {"id": "b"}]
    file = make_file(tmp_path / "rows.tsv", rows, [None, None])
    assert append_file(journal, file, SPECS[EventKind.QUEUE_HISTORY], memory_mb=20).new == 2
    assert verify(journal.path).clean


def test_a_broken_line_leaves_neither_its_file_nor_the_watermark(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    spec = SPECS[EventKind.QUEUE_HISTORY]
    mark = Watermark(source="production:copy", position={"page": 7}, complete_until=READ_AT)
    file = make_file(tmp_path / "rows.tsv", [{"id": "a"}, {"id": "b"}], [None, None])
    file.path.write_bytes(file.path.read_bytes()[:-3] + b"\n")
    with pytest.raises(duckdb.Error):
        append_file(journal, file, spec, mark)
    assert (journal.head().seq, journal.watermark("production:copy")) == (0, None)
    append_file(journal, make_file(file.path, [{"id": "a"}], [None]), spec, mark)
    assert (journal.head().seq, journal.watermark("production:copy")) == (1, mark)


@settings(deadline=None)
@given(key=TEXT)
def test_python_and_duckdb_hash_a_key_alike(key: str) -> None:
    assert duckdb.execute("SELECT md5_number_upper(?)", [key]).fetchall() == [(key_hash(key),)]


def test_a_journal_of_version_1_is_read_and_then_brought_up_to_date(tmp_path: Path) -> None:
    spec = SPECS[EventKind.JOBS]
    rows = nasty_rows(spec)
    journal, _ = append_both(tmp_path, spec, rows)
    with opened(journal.path, read_only=False) as handle:
        keys = handle.con.execute("SELECT seq, key FROM events").fetchall()
        old = [
            (int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big"), seq)
            for seq, key in keys
        ]
        handle.con.executemany("UPDATE events SET key_hash = ? WHERE seq = ?", old)
        handle.con.execute("UPDATE meta SET schema_version = 1")
    before = events_of(Journal.open(journal.path))
    assert verify(journal.path).clean
    assert len(before) == len(rows)
    versions = [1000 + number for number in range(len(rows))]
    file = make_file(tmp_path / "again.tsv", rows, versions)
    again = append_file(journal, file, spec)
    assert (again.new, again.known) == (0, len(rows))
    assert verify(journal.path).clean
    with opened(journal.path, read_only=True) as handle:
        assert handle.con.execute("SELECT schema_version FROM meta").fetchall() == [(2,)]
    assert events_of(journal) == before


def test_verify_finds_a_key_that_its_hash_would_not_find(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    file = make_file(tmp_path / "rows.tsv", [{"id": "a"}], [None])
    append_file(journal, file, SPECS[EventKind.QUEUE_HISTORY])
    with opened(journal.path, read_only=False) as handle:
        handle.con.execute("UPDATE events SET key_hash = key_hash + 1")
    assert "by its key" in str(verify(journal.path).problems)
