"""A mapping of one's own: what its files may say, and that it is the journal's for good."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import JournalError, SettingsError
from harness.journal.mapping_files import load_mapping
from harness.journal.source_mapping import SourceMapping
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch, EventDraft
from tests.support.events import at, make_job, make_replay

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "mail-dispatch" / "mapping"
HOST = "maple.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "mapping"))


def row(kind: str, number: int, **columns: Any) -> EventDraft:
    """A row that was copied from a table of the example."""
    return EventDraft(
        source="production", kind=kind, key=f"{kind}:{number}", occurred_at=at(number),
        job_id=columns.get("batch_no") or columns.get("batch"), payload=columns,
    )  # fmt: skip


def mails() -> list[EventDraft]:
    return [
        row("invoice_batch", 1, batch_no="A", issued_at=at(1).isoformat(), invoices=1),
        row("mail_outbox", 2, id=7, batch_no="A", recipient_domain="WWW.Maple.example", state="OK"),
        row("dispatch_log", 3, batch="A", target=HOST, phase="accepted", address=f"desk@{HOST}"),
        row("dispatch_log", 4, batch="A", target=HOST, phase="lost in the post"),
    ]


def test_the_example_maps_its_rows_to_canonical_columns(folder: Path, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "mail.duckdb", mapping=load_mapping(folder))
    for event in mails():
        journal.append(Batch(events=(event,)))
    with journal.reader() as reader:
        told = reader.rows(
            "SELECT side, job_id, directory, outcome, raw_status, attempts, sent->>'$.email' "
            "FROM submissions_now ORDER BY side"
        )
        assert told == [
            ("candidate", "A", HOST, "unknown", "lost in the post", 1, f"desk@{HOST}"),
            ("control", "A", HOST, "submitted", "OK", 0, None),
        ]
        ((created, claimed, size),) = reader.rows(
            "SELECT created_at, claimed_at, package_size FROM jobs_now"
        )
    assert (created, claimed, size) == (at(1), at(3), 1)
    assert verify(journal.path).clean
    journal.rebuild()
    assert verify(journal.path).clean


def test_replays_are_our_own_events_whichever_mapping_reads_production(
    folder: Path, tmp_path: Path
) -> None:
    journal = Journal.create(tmp_path / "mail.duckdb", mapping=load_mapping(folder))
    journal.append(Batch(events=(make_replay("submitted", accepted=1),)))
    with journal.reader() as reader:
        sides = reader.rows("SELECT side FROM submissions_now ORDER BY side")
    assert sides == [("candidate",), ("observed",)]


def test_the_mapping_is_the_first_event_and_part_of_the_chain(folder: Path, tmp_path: Path) -> None:
    mapping = load_mapping(folder)
    journal = Journal.create(tmp_path / "mail.duckdb", mapping=mapping)
    assert journal.mapping() == mapping
    with journal.reader() as reader:
        assert reader.rows("SELECT seq, kind, source FROM events_now") == [
            (1, "source.mapping", "operator")
        ]
    assert verify(journal.path).clean


def test_an_event_that_comes_later_is_no_mapping(folder: Path, tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(make_job(), load_mapping(folder).event(at(9)))))
    assert journal.mapping() is None
    assert verify(journal.path).clean


def test_a_journal_is_not_read_in_two_ways(folder: Path, tmp_path: Path) -> None:
    mapping = load_mapping(folder)
    other = mapping.model_copy(update={"name": "another"})
    ours = Journal.create(tmp_path / "mail.duckdb", mapping=mapping)
    ours.require(None)
    ours.require(mapping)
    with pytest.raises(JournalError, match=r"recorded with the mapping mail-dispatch \(.*another"):
        ours.require(other)
    shipped = Journal.create(tmp_path / "week.duckdb")
    with pytest.raises(JournalError, match="recorded with the shipped mapping"):
        Journal.create(shipped.path, mapping=mapping)


def test_a_mapping_of_a_later_version_is_one_line(folder: Path, tmp_path: Path) -> None:
    event = load_mapping(folder).event(at(0))
    journal = Journal.create(tmp_path / "mail.duckdb")
    with pytest.raises(JournalError, match="cannot be read") as caught:
        journal.append(Batch(events=(replace(event, payload={**event.payload, "more": 1}),)))
    assert "\n" not in str(caught.value)


def test_the_digest_is_of_what_the_files_say(folder: Path) -> None:
    before = load_mapping(folder)
    assert load_mapping(folder).digest == before.digest
    (folder / "jobs.sql").write_text((folder / "jobs.sql").read_text() + "-- more\n")
    assert load_mapping(folder).digest != before.digest


SELECT = "SELECT seq, occurred_at, job_id, directory, 'submitted' AS status"


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("mapping.toml", "name = 'x'\n[[table]", "not valid TOML"),
        ("mapping.toml", "name = 'x'\ntable = []", "table = []"),
        ("mapping.toml", "[[table]]\nname = 'a'", "name is missing. Add it."),
        ("mapping.toml", "name = 'x'\n[[table]]\nname = 'a b'", "table.0.name = 'a b'"),
        ("mapping.toml", "name = 'x'\n[[table]]\nname = 'a'\njobs = 'b'", "jobs is not known"),
        ("mapping.toml", "name = 'x'\n[[table]]\nname = 'jobs'", "of the shipped mapping"),
        (
            "mapping.toml",
            "name = 'x'\n[[table]]\nname = 'a'\n[[table]]\nname = 'a'",
            "'a' stands twice",
        ),
        ("control.sql", "DROP TABLE events", "is not one SELECT"),
        ("control.sql", f"{SELECT} FROM new_events; DROP TABLE events", "is not one SELECT"),
        ("control.sql", f"{SELECT} FRM new_events", "Parser Error"),
        ("control.sql", f"{SELECT} FROM new_event", "new_event does not exist"),
        ("control.sql", "SELECT 1 AS seq FROM new_events", "gives no column job_id. Add it."),
        ("control.sql", f"{SELECT}, 1 AS extra FROM new_events", "gives a column extra that"),
        (
            "control.sql",
            f"{SELECT.replace('occurred_at', '(payload->>1) AS occurred_at')} FROM new_events",
            "gives occurred_at as VARCHAR, not as a time with its zone. Write moment_of(…)",
        ),
        ("control.sql", f"{SELECT} FROM read_csv('/etc/hostname')", "disabled by configuration"),
        ("candidate.sql", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_line(
    folder: Path, file: str, text: str | None, problem: str
) -> None:
    path = folder / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_mapping(folder)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_select_may_end_in_a_comment_or_a_semicolon(folder: Path, tmp_path: Path) -> None:
    path = folder / "candidate.sql"
    path.write_text(path.read_text().rstrip() + ";\n")
    load_mapping(folder)
    path.write_text(path.read_text().rstrip().rstrip(";") + "  -- the end")
    journal = Journal.create(tmp_path / "mail.duckdb", mapping=load_mapping(folder))
    journal.append(Batch(events=tuple(mails())))
    assert verify(journal.path).clean


def test_a_value_that_a_select_cannot_read_is_one_line_and_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    path = folder / "jobs.sql"
    path.write_text(path.read_text().replace("TRY_CAST(payload->>'$.invoices' AS INTEGER)",
                                             "(payload->>'$.invoices')::INTEGER"))  # fmt: skip
    journal = Journal.create(tmp_path / "mail.duckdb", mapping=load_mapping(folder))
    odd = row("invoice_batch", 1, batch_no="A", issued_at=at(1).isoformat(), invoices="many")
    with pytest.raises(
        JournalError, match=r"mail-dispatch .* Could not convert string 'many'"
    ) as e:
        journal.append(Batch(events=(odd,)))
    assert "\n" not in str(e.value)
    assert journal.head().seq == 1
    assert verify(journal.path).clean


def test_a_stored_mapping_reaches_no_file_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    """As one that came with a trace from elsewhere, which nobody has looked at."""
    secret = tmp_path / "secret.csv"
    secret.write_text("seq,job_id\n1,stolen\n")
    sound = load_mapping(folder)
    for text in (
        f"SELECT seq, job_id, now() AS created_at FROM read_csv('{secret}')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
    ):
        mapping = SourceMapping(
            name="hostile", tables=sound.tables, queries={**sound.queries, "jobs": text}
        )
        with pytest.raises(JournalError, match="mapping hostile"):
            Journal.create(tmp_path / "hostile.duckdb", mapping=mapping)
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "hostile.duckdb").exists()
