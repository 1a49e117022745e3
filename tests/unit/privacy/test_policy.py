"""The shipped policy names what is recorded; everything else is unknown, and rules are checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import SettingsError
from harness.model import EventKind
from harness.privacy.policy import Action, parse_path, parse_policy, with_rules
from harness.resources import package_text, sql_text
from harness.settings import load_settings

SHIPPED = parse_policy(package_text("privacy/default-policy.toml"))
PERSONAL = (
    "jobs.business_name", "jobs.email", "jobs.business_data.phone", "jobs.customer_email",
    "customers.email", "customers.business_data.address", "directory_submissions.listing_data.zip",
    "job_results.payload.business.name", "job_results.payload.plan.value",
    "job_results.payload.plan.plan.value", "replay.submission.observed.values.anything",
    "attest.by",
)  # fmt: skip


def action(path: str) -> Action | None:
    return SHIPPED.action(*parse_path(path))


@pytest.mark.parametrize("path", PERSONAL)
def test_personal_values_are_faked(path: str) -> None:
    assert action(path) is Action.FAKE


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jobs.status", Action.KEEP),
        ("jobs.id", Action.HASH),
        ("jobs.error_message", Action.WORDS),
        ("jobs.metadata.campaign", None),
        ("jobs.a_column_of_tomorrow", None),
        ("jobs.business_data.owner_birthday", None),
        ("queue_history.details.idem", Action.HASH),
        ("queue_history.details.screenshot_url", Action.DROP),
        ("sqs.dead_letter.body.customer_id", Action.DROP),
        ("sqs.dead_letter.receive_count", Action.WORDS),
        ("prefect.flow_run.parameters.customer_id", Action.DROP),
        ("record.started.tables.customers", Action.KEEP),
        ("schema.drift.added.customer_id", Action.KEEP),
        ("worker_heartbeats.worker_id", Action.HASH),
    ],
)
def test_every_field_has_its_action(path: str, expected: Action | None) -> None:
    assert action(path) is expected


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_is_thought_of(kind: EventKind) -> None:
    fields = {rule.path for rule in SHIPPED.rules if re.fullmatch(
        re.escape(rule.table).replace(r"\*", ".*"), kind) and rule.table != "*"}  # fmt: skip
    assert fields, f"no rule names a field of {kind}"


def test_every_column_of_the_recorded_tables_is_named() -> None:
    unnamed = []
    for file in ("010_live.sql", "020_migrated.sql"):
        text = sql_text(f"postgres/schema/{file}")
        for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\);", text, re.DOTALL):
            if table not in set(EventKind):
                continue
            for column in re.findall(r"^    (\w+) +[a-z]", body, re.MULTILINE):
                below = any(
                    rule.path[:1] == (column,)
                    for rule in SHIPPED.rules if rule.table in (table, "*")
                )  # fmt: skip
                if SHIPPED.action(table, (column,)) is None and not below:
                    unnamed.append(f"{table}.{column}")
    # They hold whatever a writer puts there; the rest of them is dropped and counted.
    assert unnamed == ["jobs.metadata", "worker_heartbeats.metadata"]


def test_whatever_a_mapping_reads_is_in_a_redacted_trace() -> None:
    folder = Path(str(parse_policy.__code__.co_filename)).parents[2] / "sql" / "sources"
    missing = []
    for file in sorted(folder.glob("*.sql")):
        text = file.read_text()
        kinds = set(re.findall(r"kind = '([\w.]+)'", text))
        for path in re.findall(r"(?:payload|step)->>'\$\.([\w.]+)'", text):
            parts = tuple(path.split("."))
            tries = [parts, ("payload", "plan", *parts)]
            known = [k for k in kinds for p in tries if SHIPPED.action(k, p)]
            if not known:
                missing.append(f"{file.name}: {path}")
    assert missing == []


def test_a_rule_of_ones_own_wins_and_the_more_exact_one_counts() -> None:
    policy = with_rules(
        SHIPPED,
        {Action.KEEP: ["**.category", "jobs.business_data"], Action.DROP: ["*.phone"],
         Action.FAKE: ["jobs.business_data.phone"]},
    )  # fmt: skip
    assert policy.action("jobs", ("business_data", "category")) is Action.KEEP
    assert policy.action("customers", ("business_data", "category")) is Action.KEEP
    assert policy.action("jobs", ("business_data", "anything")) is Action.KEEP
    assert policy.action("jobs", ("business_data", "phone")) is Action.FAKE
    assert policy.action("customers", ("phone",)) is Action.DROP
    assert policy.action("customers", ("email",)) is Action.FAKE
    assert policy.digest != SHIPPED.digest


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jobs.email", ("jobs", ("email",))),
        ("sqs.dead_letter.body", ("sqs.dead_letter", ("body",))),
        ("*.phone", ("*", ("phone",))),
        ("**.note", ("*", ("**", "note"))),
        ("job_results.payload.plan[].value", ("job_results", ("payload", "plan", "value"))),
    ],
)
def test_paths_are_read(path: str, expected: tuple[str, tuple[str, ...]]) -> None:
    assert parse_path(path) == expected


def test_a_typo_in_a_table_names_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "shadow.toml"
    file.write_text('[privacy]\nfake = ["jobs.email", "job_result.error"]\n')
    with pytest.raises(SettingsError, match=r"privacy\.fake.*'job_result\.error'.*job_results\."):
        load_settings(file, {})
    with pytest.raises(SettingsError, match="names no field"):
        load_settings(None, {"SHADOW_PRIVACY_DROP": "jobs."})


def test_paths_come_from_the_environment_too() -> None:
    settings = load_settings(None, {"SHADOW_PRIVACY_KEEP": "jobs.city, *.state"})
    assert settings.privacy.keep == ("jobs.city", "*.state")
