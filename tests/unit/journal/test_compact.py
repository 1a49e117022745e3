"""Compaction: the same journal in a smaller file, or the old file untouched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import JournalError
from harness.journal.compact import compact
from harness.journal.connect import opened
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch
from tests.support.events import make_history
from tests.support.journals import make_journal, sound_job

ROOT = Path(__file__).parents[3]


def grown(folder: Path, *, batches: int = 40) -> Journal:
    journal = make_journal(folder)
    for number in range(batches):
        job = f"{number:08d}-1111-4111-8111-111111111111"
        journal.append(Batch(events=tuple(sound_job(job, second=number)), tier="fast"))
    return journal


def rows_of(journal: Journal) -> list[list[tuple[object, ...]]]:
    with opened(journal.path, read_only=True) as handle:
        tables = ("meta", "events", "batches", "watermarks", "projection_state", "submissions",
                  "jobs")  # fmt: skip
        return [sorted(handle.con.execute(f"FROM {t}").fetchall(), key=repr) for t in tables]


def test_a_compacted_journal_is_the_same_journal(tmp_path: Path) -> None:
    journal = grown(tmp_path)
    journal.path.chmod(0o640)
    before, head = rows_of(journal), journal.head()
    done = compact(journal.path)
    assert done.after_bytes < done.before_bytes
    assert done.after_bytes == journal.path.stat().st_size
    assert rows_of(journal) == before
    assert (done.hash, done.events) == (head.hash, head.seq)
    assert journal.path.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == [journal.path.name]
    journal.append(Batch(events=(make_history("submitting", number=1),)))
    assert verify(journal.path).clean


def test_a_journal_that_is_not_clean_is_left_as_it_is(tmp_path: Path) -> None:
    journal = grown(tmp_path, batches=2)
    with opened(journal.path, read_only=False) as handle:
        handle.con.execute("UPDATE events SET payload = '{}' WHERE seq = 2")
    before = journal.path.read_bytes()
    with pytest.raises(JournalError, match=r"not clean .*hash of batch.*shadow journal verify"):
        compact(journal.path)
    assert journal.path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_to_a_journal_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    journal = grown(tmp_path / "real", batches=3)
    link = tmp_path / "link.duckdb"
    link.symlink_to(journal.path)
    compact(link)
    assert link.is_symlink()
    assert verify(link).clean


def python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}"]


def test_a_limit_of_the_disk_leaves_the_old_file(tmp_path: Path) -> None:
    journal = grown(tmp_path)
    compact(journal.path)
    before = journal.path.read_bytes()
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2},) * 2)
from harness.cli.main import run
sys.exit(run(['journal', 'compact', '--journal', {str(journal.path)!r}]))
"""
    done = subprocess.run(python(code), capture_output=True, text=True, timeout=300)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert journal.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [journal.path.name]


def test_what_another_process_appends_meanwhile_is_not_lost(tmp_path: Path) -> None:
    journal = grown(tmp_path, batches=5)
    before = journal.head().seq
    code = f"""
from harness.journal.store import Journal
from harness.model import Batch
from tests.support.events import make_history
journal = Journal.open({str(journal.path)!r}, busy_timeout_s=300)
for number in range(30):
    journal.append(Batch(events=(make_history('submitting', number=1000 + number),)))
    print(number, flush=True)
"""
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        for _ in range(3):
            compact(journal.path, busy_timeout_s=300)
        writer.communicate(timeout=300)
    assert writer.returncode == 0
    assert journal.head().seq == before + 30
    assert verify(journal.path).clean
