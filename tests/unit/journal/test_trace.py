"""Traces: nothing personal gets out, nothing that counts is lost, and twice is once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assess.selecting import jobs_of
from harness.assessment import Assessment
from harness.errors import JournalError, SettingsError
from harness.journal.secret import journal_secret
from harness.journal.selection import Selection, in_sample
from harness.journal.store import Journal
from harness.journal.trace import MANIFEST_KEY, Manifest, read_manifest
from harness.journal.trace_export import Privacy, export_trace, redact_trace
from harness.journal.trace_import import import_trace
from harness.journal.verify import verify
from harness.model import Batch
from harness.privacy.policy import parse_policy
from harness.resources import package_text
from replay.select import Replayable, select_submissions
from tests.support.events import at, make_history
from tests.support.journals import assessed, criteria
from tests.support.private_weeks import HOSTS, make_week, ways_of_writing

POLICY = parse_policy(package_text("privacy/default-policy.toml"))
PRIVACY = Privacy(policy=POLICY, secret=b"t" * 32)
EVERYTHING = Selection()


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[Journal, set[str]]:
    return make_week(tmp_path_factory.mktemp("week"))


@pytest.fixture(scope="module")
def redacted(week: tuple[Journal, set[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("redacted") / "week.parquet"
    export_trace(week[0], path, EVERYTHING, PRIVACY)
    return path


@pytest.fixture(scope="module")
def imported(redacted: Path) -> Journal:
    import_trace(redacted, redacted.with_name("copy.duckdb"))
    return Journal.open(redacted.with_name("copy.duckdb"))


def text_of(path: Path) -> str:
    """Everything in a trace as text, case folded: bytes, columns, metadata."""
    columns = pq.read_table(path).to_pydict().values()
    cells = "\n".join(str(cell) for column in columns for cell in column)
    unescaped = cells.encode().decode("unicode_escape", "ignore") if "\\u" in cells else ""
    metadata = str(pq.read_metadata(path).metadata)
    return "\n".join([cells, unescaped, metadata, path.read_bytes().decode("latin-1")]).casefold()


def leaks(path: Path, planted: set[str]) -> list[str]:
    text = text_of(path)
    return sorted(form for value in planted for form in ways_of_writing(value) if form in text)


def test_no_planted_value_is_in_the_exported_bytes(
    week: tuple[Journal, set[str]], redacted: Path, tmp_path: Path
) -> None:
    journal, planted = week
    assert leaks(redacted, planted) == []
    export_trace(journal, tmp_path / "raw.parquet", EVERYTHING, None)
    # The search itself works: it finds every one of them where nothing was redacted.
    raw = text_of(tmp_path / "raw.parquet")
    assert [value for value in planted if value.casefold() not in raw] == []
    redact_trace(tmp_path / "raw.parquet", tmp_path / "later.parquet", PRIVACY)
    assert leaks(tmp_path / "later.parquet", planted) == []
    assert pq.read_table(tmp_path / "later.parquet").equals(pq.read_table(redacted))


def figures(assessment: Assessment) -> dict[str, Any]:
    """What an assessment says without naming anybody."""
    found = [(d.mode, d.kind, d.verdict, d.field, d.directory) for d in assessment.differences]
    return {
        "verdicts": assessment.agreement.verdicts,
        "agreement": assessment.agreement.by_job,
        "submissions": assessment.agreement.by_submission,
        "without rules": assessment.agreement.without_rules,
        "series": [replace(point, job_id="") for point in assessment.agreement.series],
        "latency": assessment.latency,
        "differences": Counter(found),
        # A title may name a job; a sum may depend on the order of its jobs' names.
        "clusters": [
            (c.id, c.size, round(c.cost, 9), c.precision, c.jobs, c.first_seen, c.last_seen)
            for c in assessment.clusters
        ],
        "findings": Counter((f.id, f.mode, len(f.evidence)) for f in assessment.findings),
        "rules": assessment.rules,
        "coverage": assessment.coverage,
        "decision": assessment.decision,
        "complete": (assessment.recording.complete_until, assessment.recording.lag_s),
    }  # fmt: skip


def test_a_redacted_trace_is_assessed_exactly_as_its_journal(
    week: tuple[Journal, set[str]], imported: Journal
) -> None:
    before, after = figures(assessed(week[0])), figures(assessed(imported))
    kinds = {verdict for verdict, count in assessed(week[0]).agreement.verdicts if count}
    assert {"agree", "mismatch", "missing_candidate"} <= kinds
    assert {field for _, _, _, field, _ in before["differences"]} >= {"outcome", "error",
                                                                     "values.phone"}  # fmt: skip
    for name, value in before.items():
        assert after[name] == value, name


@pytest.mark.parametrize("second", [0, 170, 900, 1811, 2600])
def test_an_imported_trace_is_read_as_of_any_moment(
    week: tuple[Journal, set[str]], imported: Journal, second: float
) -> None:
    then = at(second)
    assert figures(assessed(imported, then)) == figures(assessed(week[0], then))


def test_a_replay_finds_the_same_submissions_in_a_redacted_trace(
    week: tuple[Journal, set[str]], imported: Journal
) -> None:
    def orders(journal: Journal) -> list[tuple[Any, ...]]:
        with journal.reader() as reader:
            found = [s for s in select_submissions(reader) if isinstance(s, Replayable)]
        return [
            (s.order.directory, s.condition, s.order.plan_source, sorted(s.order.business),
             [(step.action, step.url, step.selector, len(step.value or "")) for step in s.order.plan
              if step.action != "fill" or "website" not in (step.selector or "")])
            for s in found
        ]  # fmt: skip

    before = orders(week[0])
    assert len(before) > 40
    assert orders(imported) == before


def events_of(journal: Journal) -> list[tuple[Any, ...]]:
    with journal.reader() as reader:
        return reader.rows(
            "SELECT recorded_at, occurred_at, source, kind, key, job_id, directory, payload "
            "FROM events_now WHERE kind <> 'trace.imported' ORDER BY seq"
        )


def test_a_raw_trace_brings_back_the_same_events_and_the_same_hash(
    week: tuple[Journal, set[str]], tmp_path: Path
) -> None:
    journal, _ = week
    export_trace(journal, tmp_path / "raw.parquet", EVERYTHING, None)
    done = import_trace(tmp_path / "raw.parquet", tmp_path / "copy.duckdb")
    copy = Journal.open(tmp_path / "copy.duckdb")
    assert events_of(copy) == events_of(journal)
    assert done.new == journal.head().seq == done.last_seq - 1
    with copy.reader(journal.head().seq) as one, journal.reader() as other:
        assert one.journal_hash() == other.journal_hash()
        assert one.as_of_time == other.as_of_time
    assert verify(copy.path).clean
    assert (tmp_path / "raw.parquet").stat().st_mode & 0o077 == 0


def test_importing_twice_adds_nothing(redacted: Path, imported: Journal) -> None:
    before = imported.head()
    again = import_trace(redacted, imported.path)
    assert (again.new, again.known) == (0, again.manifest.events)
    assert imported.head() == before
    with imported.reader() as reader:
        assert reader.rows("SELECT count(*) FROM events_now WHERE kind = 'trace.imported'") == [
            (1,)
        ]
    found = verify(imported.path)
    assert found.clean
    assert found.sealed


def test_traces_that_overlap_join_in_one_journal(
    week: tuple[Journal, set[str]], redacted: Path, tmp_path: Path
) -> None:
    journal, _ = week
    middle = at(1200)
    parts = [Selection(created_to=middle), Selection(share=0.5), Selection(created_from=middle)]
    for number, part in enumerate(parts):
        export_trace(journal, tmp_path / f"{number}.parquet", part, PRIVACY)
        import_trace(tmp_path / f"{number}.parquet", tmp_path / "joined.duckdb")
    joined = Journal.open(tmp_path / "joined.duckdb")
    whole = pq.read_table(redacted).column("key").to_pylist()
    assert sorted(row[4] for row in events_of(joined)) == sorted(whole)
    assert verify(joined.path).clean
    assert assessed(joined).agreement.verdicts == assessed(journal).agreement.verdicts


def test_a_trace_is_added_behind_what_a_journal_already_holds(
    redacted: Path, tmp_path: Path
) -> None:
    journal = Journal.create(tmp_path / "other.duckdb", clock=lambda: at(10**6))
    journal.append(Batch(events=(make_history("submitting", number=1),)))
    import_trace(redacted, journal.path)
    with journal.reader() as reader:
        rows = reader.rows("SELECT seq, recorded_at FROM events_now ORDER BY seq")
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    assert [time for _, time in rows] == sorted(time for _, time in rows)
    assert verify(journal.path).clean


@given(st.lists(st.uuids(), min_size=30, max_size=60), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_smaller_sample_is_part_of_a_larger_one(jobs: list[Any], one: float, two: float) -> None:
    small, large = sorted([one, two])
    chosen = {share: {j for j in jobs if in_sample(str(j), share)} for share in (small, large)}
    assert chosen[small] <= chosen[large]
    assert all(in_sample(str(job), 1.0) for job in jobs)


def test_a_sample_holds_its_share() -> None:
    assert 900 < sum(in_sample(f"job-{n}", 0.1) for n in range(10_000)) < 1100


def jobs_in(path: Path) -> set[str]:
    return {job for job in pq.read_table(path).column("job_id").to_pylist() if job}


def test_jobs_are_selected_with_their_customers_and_nobody_elses(
    week: tuple[Journal, set[str]], tmp_path: Path
) -> None:
    journal, planted = week
    with journal.reader() as reader:
        rows = reader.rows("SELECT job_id, customer_id FROM jobs_now ORDER BY created_at")
    wanted = {rows[3][0], rows[7][0]}
    export_trace(journal, tmp_path / "two.parquet", Selection(jobs=frozenset(wanted)), None)
    table = pq.read_table(tmp_path / "two.parquet").to_pylist()
    assert jobs_in(tmp_path / "two.parquet") == wanted
    customers = [json.loads(row["payload"])["id"] for row in table if row["kind"] == "customers"]
    assert customers == [rows[3][1], rows[7][1]]
    gaps = [row for row in table if row["kind"] == "record.gap"]
    assert len(gaps) == len(rows), "what is said of no job belongs to every trace"
    manifest = read_manifest(tmp_path / "two.parquet")
    assert (manifest.jobs, manifest.selection) == (2, {"jobs": sorted(wanted)})
    export_trace(journal, tmp_path / "r.parquet", Selection(jobs=frozenset(wanted)), PRIVACY)
    assert leaks(tmp_path / "r.parquet", planted) == []


def test_outcomes_and_clusters_select_jobs(week: tuple[Journal, set[str]], tmp_path: Path) -> None:
    journal, _ = week
    found = assessed(journal)
    cluster = found.clusters[0]
    expected = {
        difference.job_id for difference in found.differences if difference.cluster == cluster.id
    }
    with journal.reader() as reader:
        assert jobs_of(reader, criteria(), clusters=[cluster.id]) == expected
        mismatched = jobs_of(reader, criteria(), outcomes=["mismatch"])
        assert mismatched == {d.job_id for d in found.differences if d.verdict == "mismatch"}
        silent = jobs_of(reader, criteria(), outcomes=["missing"])
        assert silent == {d.job_id for d in found.differences if "missing" in d.verdict}
        assert jobs_of(reader, criteria(), outcomes=["excluded"]) == frozenset()
        with pytest.raises(SettingsError, match=f"--cluster zzzz.*{cluster.id}"):
            jobs_of(reader, criteria(), clusters=["zzzz"])
    export_trace(journal, tmp_path / "c.parquet", EVERYTHING, None, choose=lambda _: expected)
    assert jobs_in(tmp_path / "c.parquet") == expected


def test_as_of_a_moment_nothing_later_is_exported(
    week: tuple[Journal, set[str]], tmp_path: Path
) -> None:
    export_trace(week[0], tmp_path / "then.parquet", EVERYTHING, None, as_of=100)
    table = pq.read_table(tmp_path / "then.parquet")
    assert table.column("seq").to_pylist() == list(range(1, 101))
    manifest = read_manifest(tmp_path / "then.parquet")
    assert manifest.as_of_seq == manifest.events == 100
    with week[0].reader(100) as reader:
        mark = reader.watermark("production")
    assert mark is not None
    assert manifest.watermarks[-1].complete_until == mark.complete_until


def test_the_manifest_tells_what_was_done(week: tuple[Journal, set[str]], redacted: Path) -> None:
    manifest = read_manifest(redacted)
    assert not manifest.raw
    assert manifest.redaction is not None
    assert manifest.redaction.policy == POLICY.digest
    assert manifest.redaction.unknown_fields == {"jobs.metadata.*": 48}
    assert manifest.events == sum(manifest.by_kind.values()) == week[0].head().seq
    assert set(HOSTS) <= set(pq.read_table(redacted).column("directory").to_pylist())


def test_the_same_slice_is_the_same_bytes(week: tuple[Journal, set[str]], tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_trace(week[0], tmp_path / name, Selection(share=0.5), PRIVACY)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    other = Privacy(policy=POLICY, secret=b"u" * 32)
    export_trace(week[0], tmp_path / "three", Selection(share=0.5), other)
    assert not jobs_in(tmp_path / "one") & jobs_in(tmp_path / "three")


def test_an_existing_file_is_replaced_only_by_force(
    week: tuple[Journal, set[str]], tmp_path: Path
) -> None:
    out = tmp_path / "week.parquet"
    out.write_text("mine")
    with pytest.raises(JournalError, match="--force"):
        export_trace(week[0], out, EVERYTHING, PRIVACY)
    assert out.read_text() == "mine"
    export_trace(week[0], out, EVERYTHING, PRIVACY, force=True)
    assert read_manifest(out).events
    assert [path.name for path in tmp_path.iterdir()] == ["week.parquet"]
    assert not [path for path in week[0].path.parent.iterdir() if "trace" in path.name]


def with_manifest(path: Path, out: Path, table: pa.Table, **changes: Any) -> Path:
    manifest = json.loads(read_manifest(path).model_dump_json()) | changes
    metadata = {MANIFEST_KEY: json.dumps(manifest).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), out)
    return out


def test_bad_traces_are_refused_in_one_line(redacted: Path, tmp_path: Path) -> None:
    data, table = redacted.read_bytes(), pq.read_table(redacted)
    (tmp_path / "short").write_bytes(data[: len(data) // 2])
    (tmp_path / "no").write_text("no trace at all")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "foreign")
    with_manifest(redacted, tmp_path / "newer", table, schema_version=99)
    with_manifest(redacted, tmp_path / "odd", table, events="many")
    with_manifest(redacted, tmp_path / "less", table.slice(1))
    kinds = pa.array(["jobs", *table.column("kind").to_pylist()[1:]])
    with_manifest(redacted, tmp_path / "edited", table.set_column(4, table.schema.field("kind"),
                                                                  kinds))  # fmt: skip
    with_manifest(redacted, tmp_path / "thin", table.drop_columns("payload"))
    flipped = bytearray(data)
    flipped[len(data) // 3] ^= 0xFF
    (tmp_path / "flipped").write_bytes(flipped)
    words = {
        "short": "not a readable trace", "no": "not a readable trace", "foreign": "not a trace",
        "newer": "version 99", "odd": "manifest", "less": "not those", "edited": "not those",
        "thin": "cannot be read", "flipped": "cannot be read|not those",
        "none": "there is no trace",
    }  # fmt: skip
    for name, expected in words.items():
        with pytest.raises(JournalError, match=expected) as caught:
            import_trace(tmp_path / name, tmp_path / "copy.duckdb")
        assert "\n" not in str(caught.value), name
        assert name in str(caught.value)
    assert not (tmp_path / "copy.duckdb").exists()


def test_a_redacted_trace_is_not_redacted_again(redacted: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="redacted already"):
        redact_trace(redacted, tmp_path / "again.parquet", PRIVACY)


def test_an_unknown_job_and_an_empty_selection_are_named(
    week: tuple[Journal, set[str]], tmp_path: Path
) -> None:
    for selection, words in (
        (Selection(jobs=frozenset({"no-such-job"})), "no-such-job"),
        (Selection(created_from=at(10**7)), "None of the 24"),
    ):
        with pytest.raises(JournalError, match=words):
            export_trace(week[0], tmp_path / "none.parquet", selection, PRIVACY)
    assert list(tmp_path.iterdir()) == []


def test_a_journal_without_events_makes_a_trace_without_events(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "empty.duckdb")
    manifest = export_trace(journal, tmp_path / "empty.parquet", EVERYTHING, PRIVACY)
    assert isinstance(manifest, Manifest)
    assert (manifest.events, manifest.span.first_recorded_at) == (0, None)
    assert import_trace(tmp_path / "empty.parquet", tmp_path / "copy.duckdb").new == 0


def test_the_secret_lies_beside_the_journal_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb.secret"
    secret = journal_secret(path)
    assert len(secret) == 32
    assert journal_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Exception, match="chmod 600"):
        journal_secret(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(Exception, match="no secret of 32 bytes"):
        journal_secret(path)
