"""A system that has nothing in common with the shipped one, compared by configuration alone.

The files are those of ``docs/examples/mail-dispatch``, as they stand there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.demo.postgres import RECORDER_ROLE
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch
from tests.support.events import make_job
from tests.support.postgres import Cluster, Production, running_cluster
from tests.support.processes import Ended, run_shadow

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "mail-dispatch"
SOUND, ODD, LOST = "2026-11-A", "2026-11-B", "2026-11-C"
MAPLE, BIRCH, CEDAR, ASPEN = (f"{name}.example" for name in ("maple", "birch", "cedar", "aspen"))
FULL = "452 4.2.2 mailbox full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The invented system's database, and a folder with the example's settings."""

    database: Production
    folder: Path

    def shadow(self, *words: str) -> Ended:
        """Run ``shadow`` in the folder."""
        return run_shadow(
            *words, cwd=self.folder, environ={"SHADOW_DSN": self.database.recorder_dsn}
        )

    def record(self) -> Ended:
        """Record until nothing new comes."""
        ended = self.shadow("record", "--until-idle", "0.2s", "--tick", "0.1s", "--json")
        assert ended.code == 0, ended.err
        return ended

    def differences(self) -> set[tuple[str, str, str, str]]:
        """Job, directory, kind and field of each."""
        told = json.loads(self.shadow("diff", "--json").out)
        return {(d["job_id"], d["directory"], d["kind"], d["field"]) for d in told["differences"]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def office(cluster: Cluster, tmp_path: Path) -> Iterator[Office]:
    folder = tmp_path / "office"
    shutil.copytree(EXAMPLE, folder)
    with cluster.database() as bare:
        bare.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        bare.execute((EXAMPLE / "schema.sql").read_text())
        bare.execute(f"GRANT USAGE ON SCHEMA public TO {RECORDER_ROLE}")
        bare.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {RECORDER_ROLE}")
        yield Office(database=bare, folder=folder)


def send(database: Production, batch: str, *mails: dict[str, Any]) -> None:
    """A batch of two hours ago that the old mailer sent; each mail says what became of it."""
    database.execute(
        "INSERT INTO invoice_batch VALUES (%s, now() - interval '2 hours', %s)",
        [batch, len(mails)],
    )
    for mail in mails:
        database.execute(
            "INSERT INTO mail_outbox (batch_no, recipient_domain, mailbox, state, reason, "
            "queued_at, touched_at) VALUES (%s, %s, %s, %s, %s, now() - interval '2 hours', "
            "now() - interval '110 minutes')",
            [batch, mail["to"], f"Desk@{mail['to']}", mail["state"], mail.get("reason")],
        )


def log(database: Production, batch: str, target: str | None, phase: str, **more: Any) -> None:
    """A line of the dispatcher's log, of a good hour ago."""
    database.execute(
        "INSERT INTO dispatch_log (batch, target, phase, address, note, at) VALUES "
        "(%s, %s, %s, %s, %s, now() - interval '100 minutes')",
        [batch, target, phase, more.get("address"), more.get("note")],
    )


def dispatch(database: Production, batch: str, target: str, phase: str, **more: Any) -> None:
    """The dispatcher takes a mail up and ends it."""
    log(database, batch, target, "accepted", address=more.pop("address", f"desk@{target}"))
    log(database, batch, target, phase, **more)


def plant(database: Production) -> None:
    """One sound batch, one with three faults, and one that the dispatcher never took up."""
    for batch in (SOUND, ODD):
        send(
            database, batch,
            {"to": MAPLE, "state": "OK"},
            {"to": BIRCH, "state": "BOUNCED", "reason": "5.2.2 over quota"},
            {"to": CEDAR, "state": "OK"},
            {"to": ASPEN, "state": "OK"},
        )  # fmt: skip
    send(database, LOST, {"to": MAPLE, "state": "OK"})
    dispatch(database, SOUND, MAPLE, "delivered")
    dispatch(database, SOUND, BIRCH, "rejected", note=FULL)
    dispatch(database, SOUND, CEDAR, "delivered")
    dispatch(database, SOUND, ASPEN, "delivered")
    log(database, SOUND, None, "closed")
    dispatch(database, ODD, MAPLE, "delivered", address="billing@maple.example")
    dispatch(database, ODD, BIRCH, "rejected", note="connection timed out")
    dispatch(database, ODD, CEDAR, "rejected", note=FULL)
    log(database, ODD, ASPEN, "accepted")
    log(database, ODD, None, "closed")


def test_an_unrelated_system_is_recorded_and_compared_by_its_configuration(office: Office) -> None:
    plant(office.database)
    summary = json.loads(office.record().out)
    assert summary["rows"] == 3 + 9 + 17
    assert office.differences() == {
        (ODD, MAPLE, "wrong_value", "values.email"),
        (ODD, BIRCH, "error_class", "error"),
        (ODD, CEDAR, "candidate_failed", "outcome"),
        (ODD, ASPEN, "missing_candidate", "outcome"),
        (LOST, MAPLE, "missing_candidate", "outcome"),
    }
    report = office.shadow("report", "--format", "json", "--stdout")
    told = json.loads(report.out)
    assert (report.code, told["decision"]) == (1, "NO-GO"), "a batch was lost"
    assert told["agreement"]["by_job"]["value"] == pytest.approx(1 / 3)
    # The last is for information: no shipped class of errors knows the words of mail servers.
    assert {f["id"] for f in told["findings"]} == {
        "never_enqueued", "orphan_submitting", "unknown_error",
    }  # fmt: skip
    assert verify(office.folder / "mail.duckdb").clean


def test_a_system_that_does_the_same_is_a_go(office: Office) -> None:
    office.database.execute(
        "INSERT INTO invoice_batch SELECT 'B' || n, now() - interval '2 hours', 1 "
        "FROM generate_series(1, 90) AS n"
    )
    office.database.execute(
        "INSERT INTO mail_outbox (batch_no, recipient_domain, mailbox, state) "
        f"SELECT batch_no, '{MAPLE}', 'Desk@{MAPLE}', 'OK' FROM invoice_batch"
    )
    for target, phase in ((MAPLE, "accepted"), (MAPLE, "delivered"), (None, "closed")):
        office.database.execute(
            f"INSERT INTO dispatch_log (batch, target, phase, address) SELECT batch_no, %s, %s, "
            f"'desk@{MAPLE}' FROM invoice_batch",
            [target, phase],
        )
    office.record()
    report = office.shadow("report", "--format", "json", "--stdout")
    told = json.loads(report.out)
    assert (report.code, told["decision"], told["findings"]) == (0, "GO", []), told["reason"]


def test_what_changes_later_is_added_as_a_rebuild_would_have_it(office: Office) -> None:
    send(office.database, SOUND, {"to": MAPLE, "state": "Q"}, {"to": CEDAR, "state": "OK"})
    dispatch(office.database, SOUND, CEDAR, "delivered")
    office.record()
    office.database.execute("UPDATE mail_outbox SET state = 'SENDING', touched_at = now()")
    office.record()
    office.database.execute("UPDATE mail_outbox SET state = 'OK', touched_at = now()")
    dispatch(office.database, SOUND, MAPLE, "delivered")
    office.record()
    assert office.differences() == set()
    journal = Journal.open(office.folder / "mail.duckdb")
    assert verify(journal.path).clean, "increments give what a rebuild gives"
    with journal.reader() as reader:
        outcomes = reader.rows(
            "SELECT side, directory, outcome, raw_status, attempts FROM submissions_now"
            " ORDER BY ALL"
        )
    assert outcomes == [
        ("candidate", CEDAR, "submitted", "delivered", 1),
        ("candidate", MAPLE, "submitted", "delivered", 1),
        ("control", CEDAR, "submitted", "OK", 1),
        ("control", MAPLE, "submitted", "OK", 1),
    ]


def test_another_mapping_is_refused_and_the_journal_keeps_its_own(office: Office) -> None:
    plant(office.database)
    office.record()
    before = office.differences()
    file = office.folder / "mapping" / "candidate.sql"
    text = file.read_text()
    file.write_text(text.replace("THEN 'failed'", "THEN 'submitted'"))
    for words in (("journal", "rebuild"), ("record", "--for", "1s")):
        refused = office.shadow(*words)
        assert refused.code == 2
        assert refused.err.startswith(
            "shadow: mail.duckdb: recorded with the mapping mail-dispatch"
        )
        assert refused.err.count("\n") == 1
    # Without the setting, the journal is read and recorded by what it began with.
    (office.folder / "shadow.toml").write_text(
        'journal = "mail.duckdb"\n[compare]\nrules = "rules.toml"\n'
    )
    assert office.shadow("journal", "rebuild").code == 0
    assert office.differences() == before
    dispatch(office.database, LOST, MAPLE, "delivered")
    office.record()
    assert office.differences() == {d for d in before if d[0] != LOST}


def test_a_raw_trace_brings_its_mapping_and_none_is_redacted(office: Office) -> None:
    plant(office.database)
    office.record()
    before = office.differences()
    refused = office.shadow("trace", "export", "--out", "week.parquet")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "cannot be redacted" in refused.err
    assert office.shadow("trace", "export", "--raw", "--out", "raw.parquet").code == 0
    assert office.shadow("trace", "import", "raw.parquet", "--journal", "copy.duckdb").code == 0
    assert Journal.open(office.folder / "copy.duckdb").mapping() is not None
    (office.folder / "mail.duckdb").unlink()
    (office.folder / "copy.duckdb").rename(office.folder / "mail.duckdb")
    assert office.differences() == before
    other = Journal.create(office.folder / "other.duckdb")
    other.append(Batch(events=(make_job(),)))
    refused = office.shadow("trace", "import", "raw.parquet", "--journal", "other.duckdb")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "Import it into a journal of its own." in refused.err
    assert office.shadow("trace", "redact", "raw.parquet", "--out", "x.parquet").code == 2


def test_the_doctor_runs_the_mapping_over_the_newest_rows(office: Office) -> None:
    plant(office.database)
    told = json.loads(office.shadow("doctor", "--json").out)
    checks = {check["name"]: check for check in told["checks"]}
    tables = ("invoice_batch", "mail_outbox", "dispatch_log")
    assert {checks[name]["status"] for name in tables} == {"ok"}
    lines = checks["sample rows"]["detail"]
    assert len(lines) == 3
    assert any("control submitted (OK)" in line for line in lines)


def test_a_table_that_is_not_there_is_named(office: Office) -> None:
    office.database.execute("DROP TABLE dispatch_log")
    refused = office.shadow("record", "--for", "1s")
    assert refused.code == 2
    assert refused.err.startswith("shadow: public.dispatch_log: there is no such table.")


def test_slot_mode_says_that_it_records_the_shipped_tables_only(office: Office) -> None:
    with (office.folder / "shadow.toml").open("a") as file:
        file.write('\n[record]\nmode = "slot"\n')
    refused = office.shadow("record", "--for", "1s")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert 'record.mode = "slot"' in refused.err
