"""Settings: which source wins, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SettingsError
from harness.settings import (
    Settings,
    environment_name,
    known_keys,
    load_settings,
    parse_duration_s,
    production_dsn,
)

SECRET = "postgresql://shadow:hunter2@db.example/app"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shadow.toml"


def _refused(file: Path, text: str, **environ: str) -> str:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}) == Settings()
    assert Settings().compare.deadline == 2400.0


def test_a_file_in_the_working_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shadow.toml").write_text('journal = "week.duckdb"')
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}).journal == Path("week.duckdb")


def test_the_environment_is_stronger_than_the_file_and_the_file_than_the_default(
    file: Path,
) -> None:
    file.write_text('[record]\ntick = "3s"\nsweep_every = "2m"\n[queue]\nurl = "file"')
    found = load_settings(file, {"SHADOW_RECORD_TICK": "0.5s", "SQS_QUEUE_URL": "runbook"})
    assert (found.record.tick, found.record.sweep_every) == (0.5, 120.0)
    assert found.record.sample_every == Settings().record.sample_every
    assert found.queue.url == "runbook"


def test_our_own_name_is_stronger_than_the_runbooks(file: Path) -> None:
    file.write_text("")
    environ = {"SHADOW_QUEUE_URL": "ours", "SQS_QUEUE_URL": "theirs", "SQS_DLQ_URL": "dead"}
    found = load_settings(file, environ | {"AWS_ENDPOINT_URL": "http://sqs.test:9324"})
    assert (found.queue.url, found.queue.dlq_url) == ("ours", "dead")
    assert found.queue.endpoint_url == "http://sqs.test:9324"


def test_an_empty_variable_is_one_that_is_not_set(file: Path) -> None:
    file.write_text('[queue]\nurl = "file"')
    empty = {"SQS_QUEUE_URL": "", "SHADOW_RECORD_TICK": "", "SHADOW_COMPARE_RULES": ""}
    found = load_settings(file, empty)
    assert (found.queue.url, found.record.tick) == ("file", Settings().record.tick)
    assert found.compare.rules is None


@pytest.mark.parametrize("key", known_keys())
def test_every_key_has_an_environment_name(file: Path, key: str) -> None:
    file.write_text("")
    samples = {
        "journal": "a.duckdb", "record.sweep_share": "0.5", "compare.time_scale": "2",
        "replay.concurrency": "3", "compare.since": "2026-11-16T09:00:00Z",
        "record.mode": "slot", "record.slot_plugin": "test_decoding",
        "record.slot_warn_mb": "5", "record.slot_drop_mb": "5",
        "notify.per_hour": "3", "replay.sites": "a.example=wizard",
        "stack.env": "PLAYWRIGHT_HEADLESS=1", "stack.at_once": "3", "stack.run_unsealed": "true",
        "replay.engine": "prefect", "replay.unit": "3",
    } | dict.fromkeys(
        (f"privacy.{action}" for action in ("drop", "hash", "fake", "words", "keep")), "jobs.city"
    )  # fmt: skip
    found = load_settings(file, {environment_name(key): samples.get(key, "7s")})
    assert found != Settings()


def test_a_week_that_begins_without_a_zone_is_refused(file: Path) -> None:
    file.write_text('[compare]\nsince = "2026-11-16 09:00"')
    with pytest.raises(SettingsError, match=r"compare\.since = '2026-11-16 09:00'"):
        load_settings(file, {})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0.5s", 0.5), ("200ms", 0.2), ("10m", 600.0), ("2h", 7200.0), ("7d", 604800.0), ("3", 3.0),
     (" 4 s ", 4.0), (2, 2.0), (0.25, 0.25)],
)  # fmt: skip
def test_a_duration_is_seconds_or_has_a_unit(text: object, seconds: float) -> None:
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["fast", "-1s", "1 w", "s", "", "1e3", True, None, float("nan"), float("inf"), "nan"]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_s(text)


@given(st.floats(0, 1e9, allow_nan=False))
def test_a_plain_number_is_seconds(seconds: float) -> None:
    assert parse_duration_s(seconds) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[record]\ntik = 1", "record.tik is not a setting. Did you mean record.tick?"),
        ('[record]\ntick = "fast"', "record.tick = 'fast' is not a duration. Write seconds or"),
        ("[recrd]\ntick = 1", "recrd is not a setting. Did you mean record?"),
        ("[record]\ntick = 0", "record.tick = 0 is wrong: Input should be greater than 0"),
        ("[record]\ntick = inf", "record.tick = inf is not a duration"),
        ("record = 5", "record = 5 is wrong"),
        ("[compare]\ntime_scale = -1", "compare.time_scale = -1 is wrong"),
        ('[queue]\nzzz = "x"', "queue.zzz is not a setting."),
        ("journal = = 1", "not valid TOML"),
    ],
)
def test_a_wrong_setting_names_file_key_and_mend(file: Path, text: str, words: str) -> None:
    message = _refused(file, text)
    assert message.startswith(f"{file}: ")
    assert words in message


def test_a_wrong_variable_is_named_instead_of_the_file(file: Path) -> None:
    message = _refused(file, "", SHADOW_RECORD_TICK="fast")
    assert message.startswith("SHADOW_RECORD_TICK: record.tick = 'fast' is not a duration")


def test_a_misspelt_variable_of_a_section_is_refused(file: Path) -> None:
    message = _refused(file, "", SHADOW_RECORD_TIK="1s")
    assert message == "SHADOW_RECORD_TIK is not a setting. Did you mean SHADOW_RECORD_TICK?"


def test_variables_of_other_programs_are_left_alone(file: Path) -> None:
    file.write_text("")
    others = {"SHADOW_MODE_PERCENTAGE": "10", "SHADOW_BROWSER": "/x", "SHADOW_DSN": SECRET}
    assert load_settings(file, others) == Settings()


def test_all_problems_are_reported_at_once(file: Path) -> None:
    message = _refused(
        file, '[record]\ntik = 1\ntick = "fast"\n[compare]\ndeadline = 0', SHADOW_QUEUE_URI="x"
    )
    for part in ("record.tik", "record.tick", "compare.deadline", "SHADOW_QUEUE_URI"):
        assert part in message


def test_a_section_given_as_a_value_does_not_break_on_a_variable(file: Path) -> None:
    assert "record = 5 is wrong" in _refused(file, "record = 5", SHADOW_RECORD_TICK="1s")


@pytest.mark.parametrize("text", [f'dsn = "{SECRET}"', f'[record]\ndatabase_url = "{SECRET}"'])
def test_the_dsn_is_never_read_from_a_file_nor_shown(file: Path, text: str) -> None:
    message = _refused(file, text)
    assert "environment only: set SHADOW_DSN" in message
    assert "hunter2" not in message


def test_the_dsn_comes_from_our_name_first_and_its_absence_is_told() -> None:
    assert production_dsn({"SHADOW_DSN": "a", "DATABASE_URL": "b"}) == "a"
    assert production_dsn({"SHADOW_DSN": "", "DATABASE_URL": "b"}) == "b"
    with pytest.raises(SettingsError, match="SHADOW_DSN is not set"):
        production_dsn({})


def test_a_config_that_is_missing_is_an_error_and_no_default(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such settings file"):
        load_settings(tmp_path / "none.toml", {})


def test_a_file_that_is_not_text_is_named(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"shadow\.toml: not valid TOML"):
        load_settings(file, {})


def test_a_stacks_variables_and_its_secret(file: Path) -> None:
    file.write_text("")
    found = load_settings(
        file,
        {"SHADOW_STACK_ENV": "A=b=c, B=", "SHADOW_STACK_DSN": "host=127.0.0.1 dbname=stack"},
    )
    assert found.stack.env == {"A": "b=c", "B": ""}
    with pytest.raises(SettingsError, match=r"'A': write NAME=value"):
        load_settings(file, {"SHADOW_STACK_ENV": "A"})
    file.write_text("[stack]\ndsn = 'host=127.0.0.1'\n")
    with pytest.raises(SettingsError, match=r"stack\.dsn is not a setting.*SHADOW_STACK_DSN"):
        load_settings(file, {})
