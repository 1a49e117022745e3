"""What a reader gives by the million is what it gives by the row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from harness.compare.texts import all_written
from harness.journal.connect import opened
from harness.resources import sql_queries
from tests.support.journals import make_journal
from tests.support.reference_runs import journal_of
from tests.support.reference_weeks import random_week

QUERIES = sql_queries("views/select_submissions.sql")


def test_a_large_frame_holds_what_a_frame_does(tmp_path: Path) -> None:
    journal = journal_of(random_week(7), make_journal(tmp_path).path, tmp_path / "copy.duckdb")
    query = QUERIES["select_submissions"]
    with journal.reader() as reader:
        large, plain = reader.large_frame(query), reader.frame(query)
        none = reader.large_frame(f"SELECT * FROM ({query.rstrip('; ')}) LIMIT 0")
    assert plain.height > 10
    assert isinstance(large["job_id"].dtype, pl.Categorical)
    assert large["job_id"].dtype == large["directory"].dtype
    assert_frame_equal(all_written(large), plain, check_row_order=False)
    assert none.columns == large.columns
    assert none.is_empty()


def test_pieces_are_put_together_in_their_order(tmp_path: Path) -> None:
    query = """
        SELECT i, CASE WHEN i % 7 <> 0 THEN 'text ' || i % 1000 END AS text
        FROM range(123_456) t(i)
    """
    with make_journal(tmp_path).reader() as reader:
        large = reader.large_frame(query)
    numbers = range(123_456)
    assert large["i"].to_list() == list(numbers)
    assert large["text"].cast(pl.String).to_list() == [
        f"text {n % 1000}" if n % 7 else None for n in numbers
    ]


def test_a_query_may_read_a_frame_for_a_while(tmp_path: Path) -> None:
    rows = pl.DataFrame({"number": [2, 1], "word": ["b", None]})
    with make_journal(tmp_path).reader() as reader:
        with reader.table("given", rows):
            found = reader.rows("SELECT word FROM given ORDER BY number")
        assert found == [(None,), ("b",)]
        assert reader.rows("SELECT 1 FROM duckdb_views() WHERE view_name = 'given'") == []


def test_what_was_read_is_let_go_of_when_asked(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    with opened(journal.path, read_only=False) as file:
        file.con.execute("CREATE TABLE large AS SELECT hash(i) AS h FROM range(1_000_000) t(i)")
    read, limit = "SELECT bit_xor(h) FROM large", "SELECT current_setting('memory_limit')"
    held = "SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory()"
    with journal.reader() as reader:
        before, found = reader.rows(limit), reader.rows(read)
        assert reader.rows(held)[0][0] > 5_000_000
        reader.let_go()
        assert reader.rows(held)[0][0] <= 1_000_000
        assert reader.rows(limit) == before
        assert reader.rows(read) == found
