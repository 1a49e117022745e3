"""What goes into the journal comes out of it: any size of batch, any kind, any payload."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.journal.connect import opened
from harness.journal.store import Journal, canonical_json
from harness.journal.verify import verify
from harness.model import Batch, EventDraft, EventKind
from tests.support.events import at

texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
payloads = st.dictionaries(texts, values, max_size=4)


def _draft(number: int, kind: str = "jobs", **payload: object) -> EventDraft:
    return EventDraft(
        source="production", kind=kind, key=f"{kind}:{number}", occurred_at=at(number),
        payload=payload,
    )  # fmt: skip


def _count(journal: Journal) -> dict[str, int]:
    with journal.reader() as reader:
        return dict(reader.rows("SELECT kind, count(*) FROM events_now GROUP BY kind"))


def test_a_batch_a_thousand_times_larger_than_the_last_stays_exact(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=tuple(_draft(n, "customers") for n in range(5))))
    large = tuple(_draft(n, "customers") for n in range(5000))
    appended = journal.append(Batch(events=large))
    assert (appended.new, appended.known, appended.first_seq) == (4995, 5, 6)
    assert journal.append(Batch(events=large)).new == 0
    assert journal.append(Batch(events=(_draft(5000, "customers"),))).last_seq == 5001
    assert _count(journal) == {"customers": 5001}
    assert verify(journal.path).clean


def test_every_kind_is_kept_apart_and_counted(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    kinds = [*EventKind, "a kind of tomorrow"]
    journal.append(
        Batch(events=tuple(_draft(n, kind) for n, kind in enumerate(kinds) for _ in range(2)))
    )
    assert _count(journal) == {str(kind): 1 for kind in kinds}
    assert verify(journal.path).clean


@settings(max_examples=6, deadline=None)
@given(rows=st.lists(payloads, min_size=1, max_size=40))
def test_every_payload_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    journal = Journal.create(tmp_path_factory.mktemp("journal") / "week.duckdb")
    drafts = tuple(
        EventDraft(source="s", kind="k", key=f"ключ {n}", occurred_at=at(n), payload=row)
        for n, row in enumerate(rows)
    )
    journal.append(Batch(events=drafts))
    with journal.reader() as reader:
        stored = reader.rows("SELECT payload FROM events_now ORDER BY seq")
    assert [text for (text,) in stored] == [canonical_json(row) for row in rows]
    assert [json.loads(text) for (text,) in stored] == rows
    assert verify(journal.path).clean


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET source = 'operator' WHERE seq = 2",
        "UPDATE events SET key = key || '!' WHERE seq = 2",
        "UPDATE events SET job_id = 'other' WHERE seq = 2",
        "UPDATE events SET recorded_at = recorded_at + INTERVAL 1 SECOND WHERE seq = 2",
        "UPDATE batches SET hash = repeat('0', 64) WHERE batch = 1",
        "DELETE FROM events WHERE seq = 3; DELETE FROM batches WHERE last_seq = 3",
    ],
)
def test_a_change_of_one_event_anywhere_is_seen(tmp_path: Path, damage: str) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(_draft(1), _draft(2))))
    journal.append(Batch(events=(_draft(3),)))
    with opened(journal.path, read_only=False) as handle:
        handle.con.execute(damage)
    assert not verify(journal.path).clean
