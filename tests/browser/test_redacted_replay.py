"""A replay of a redacted trace reaches the outcomes that one of the journal itself does."""

from __future__ import annotations

from pathlib import Path

from harness.journal.selection import Selection
from harness.journal.store import Journal
from harness.journal.trace_export import Privacy, export_trace
from harness.journal.trace_import import import_trace
from harness.privacy.policy import parse_policy
from harness.resources import package_text
from replay.run import ReplayConfig, replay
from tests.support.events import make_control
from tests.support.replays import (
    BUSINESS,
    QUICK,
    every_condition,
    make_journal,
    make_steps,
    submissions_of,
)


def outcomes(journal: Journal) -> dict[str, tuple[object, ...]]:
    replay(journal, ReplayConfig(run="r", timeouts=QUICK, seed=1))
    return {
        host: (
            told.get("excluded"),
            told.get("condition"),
            (told.get("claimed") or {}).get("status"),
            (told.get("observed") or {}).get("accepted"),
            sorted((told.get("observed") or {}).get("values") or {}),
        )
        for host, told in submissions_of(journal, "r").items()
    }


def test_a_redacted_trace_is_replayed_as_its_journal_is(tmp_path: Path) -> None:
    values = {"name": BUSINESS["business_name"], "email": BUSINESS["email"]}
    journal = make_journal(
        tmp_path,
        *every_condition(),
        make_control("failed", host="known.example", message="Listing was already registered"),
        make_control("failed", host="gate.example", message="Rejected: log in required"),
        make_control(host="planned.example"),
        make_steps("planned.example", values),
    )
    trace, copy = tmp_path / "week.parquet", tmp_path / "copy.duckdb"
    policy = parse_policy(package_text("privacy/default-policy.toml"))
    export_trace(journal, trace, Selection(), Privacy(policy=policy, secret=b"t" * 32))
    import_trace(trace, copy)
    raw = outcomes(journal)
    assert outcomes(Journal.open(copy)) == raw
    assert {status for _, _, status, _, _ in raw.values()} == {None, "submitted", "failed"}
    assert len({condition for _, condition, _, _, _ in raw.values()}) >= 7
