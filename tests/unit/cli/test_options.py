"""How the text of an option becomes a value, and which journal and moment it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from harness.cli.main import run
from harness.cli.options import DURATION, MOMENT, ExpiryType, chosen, resolved, settings_with
from harness.errors import SettingsError
from harness.journal.store import Journal
from harness.model import Batch
from tests.support.events import at, make_control, make_job
from tests.support.journals import RECORDED_AT, make_journal


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1200", 1200),
        ("2026-11-20T14:05", datetime(2026, 11, 20, 14, 5, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T14:05+02:00", datetime(2026, 11, 20, 12, 5, tzinfo=UTC)),
        ("-2h", -timedelta(hours=2)),
        ("-90", -timedelta(seconds=90)),
        ("-7d", -timedelta(days=7)),
    ],
)  # fmt: skip
def test_a_moment_is_a_seq_a_time_or_a_span_before_the_newest_event(
    text: str, moment: object
) -> None:
    assert MOMENT.convert(text, None, None) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "-", "-2 weeks", "1.5", "2h", "-99999999999d"])
def test_what_is_no_moment_says_how_to_write_one(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"Give a seq \(1200\), a time"):
        MOMENT.convert(text, None, None)


def test_a_duration_that_is_none_is_a_usage_error() -> None:
    assert DURATION.convert("500ms", None, None) == 0.5
    with pytest.raises(click.BadParameter, match="is not a duration"):
        DURATION.convert("soon", None, None)


@pytest.mark.parametrize(
    ("as_of", "seq"),
    [(None, 2), (1, 1), (99, 2), (at(6000), 1), (-timedelta(hours=1), 1), (-timedelta(0), 2),
     (-timedelta(hours=2), 0), (-timedelta(days=10**6), 0)],
)  # fmt: skip
def test_a_span_counts_back_from_when_the_newest_event_was_recorded(
    tmp_path: Path, as_of: Any, seq: int
) -> None:
    journal = make_journal(tmp_path, [make_job()], recorded_at=RECORDED_AT)
    later = Journal(journal.path, clock=lambda: RECORDED_AT + timedelta(hours=1))
    later.append(Batch(events=(make_control(),)))
    with journal.reader(resolved(journal, as_of)) as reader:
        assert reader.as_of_seq == seq


def test_the_command_line_is_stronger_than_environment_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "team.toml"
    config.write_text('journal = "file.duckdb"')
    monkeypatch.delenv("SHADOW_JOURNAL", raising=False)
    assert settings_with(config).journal == Path("file.duckdb")
    monkeypatch.setenv("SHADOW_JOURNAL", "variable.duckdb")
    assert settings_with(config).journal == Path("variable.duckdb")
    assert settings_with(config, Path("option.duckdb")).journal == Path("option.duckdb")


def test_an_unknown_choice_names_the_nearest_and_all_known_ones() -> None:
    assert chosen("--kind", ["b"], ["b", "a", "b"]) == {"b"}
    assert chosen("--kind", [], ["a"]) == frozenset()
    with pytest.raises(SettingsError) as caught:
        chosen("--kind", ["timeoot"], ["timeout", "captcha"])
    assert str(caught.value) == (
        "--kind timeoot: not known; did you mean timeout? Known: captcha, timeout."
    )


@pytest.mark.parametrize("text", ["0s", "2020-01-01", "soon", "-1d", "99999999999d"])
def test_an_attestation_needs_an_expiry_in_the_future(text: str) -> None:
    with pytest.raises(click.BadParameter, match="Give a"):
        ExpiryType().convert(text, None, None)


def test_an_expiry_is_a_date_or_a_span_from_now() -> None:
    now = datetime.now(UTC)
    week = ExpiryType().convert("7d", None, None)
    assert timedelta(days=7) <= week - now < timedelta(days=7, minutes=1)
    assert ExpiryType().convert("2999-12-01", None, None) == datetime(2999, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["repot"], "No such command 'repot'. Did you mean 'report'? See: shadow --help"),
        (["diff", "--jurnal", "x"], "Did you mean '--journal'? See: shadow diff --help"),
        (["report", "--format", "docx"], "'docx' is not one of"),
        (["report", "--format", "html", "--format", "md", "--stdout"], "stdout takes one format"),
        (["attest", "no_customer_complaints"], "Missing option '--by'"),
        (["journal", "verfy"], "Did you mean 'verify'? See: shadow journal --help"),
    ],
)  # fmt: skip
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("shadow: ")
    assert words in err


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err
    assert run(["--help"]) == 0
    assert "Exit codes:" in capsys.readouterr().out
