"""Which shape a table has, and what is said of it."""

from __future__ import annotations

import pytest

from harness.model import EventKind
from harness.record.postgres.introspect import Table
from harness.record.postgres.mapping import UNKNOWN, TableMapping, describe_mapping, mapping_payload
from harness.record.postgres.shapes import KNOWN, EvidenceLevel
from harness.record.postgres.tables import TABLES

JOBS_020 = "id customer_id customer_name status directories_to_process created_at started_at"
SHAPES = [
    (EventKind.JOBS, "id customer_id:text status package_size business_data created_at started_at "
     "completed_at", "live", "complete"),
    (EventKind.JOBS, "id customer_id:uuid status package_size business_data created_at started_at "
     "completed_at", "autobolt", "complete"),
    (EventKind.JOBS, f"{JOBS_020} completed_at business_data", "020", "complete"),
    (EventKind.JOBS, JOBS_020, "020", "partial"),
    (EventKind.JOBS, "id customer_id status action created_by created_at started_at completed_at "
     "business_data", "legacy", "complete"),
    (EventKind.JOBS, "id status directories_total directories_done progress created_at started_at "
     "completed_at business_data", "motia", "complete"),
    (EventKind.JOBS, "id status", UNKNOWN, "none"),
    (EventKind.DIRECTORY_SUBMISSIONS, "id customer_job_id submission_queue_id directory_url status "
     "result_message updated_at listing_data", "live", "complete"),
    (EventKind.DIRECTORY_SUBMISSIONS, "id job_id directory_url status error_message updated_at "
     "listing_data", "job_id", "complete"),
    (EventKind.DIRECTORY_SUBMISSIONS, "id queue_id directory_url submission_status error_message "
     "updated_at", "legacy", "partial"),
    (EventKind.DIRECTORY_SUBMISSIONS, "id customer_job_id directory_url status", "customer_job_id",
     "partial"),
    (EventKind.JOB_RESULTS, "id job_id directory_name status idempotency_key payload", "migrated",
     "complete"),
    (EventKind.JOB_RESULTS, "id job_id directory_name status response_log submitted_at retry_count",
     "live", "none"),
    (EventKind.JOB_RESULTS, "id:bigint job_id:bigint directory_url submission_url status",
     "generated-types", "none"),
    (EventKind.JOB_RESULTS, "id job_id directory_name directory_url submission_status", "021",
     "none"),
    (EventKind.QUEUE_HISTORY, "id job_id directory_name event details worker_id created_at",
     "migrated", "complete"),
    (EventKind.QUEUE_HISTORY, "id job_id event created_at", "migrated", "partial"),
    (EventKind.QUEUE_HISTORY, "id customer_id status_from status_to metadata created_at", "live",
     "none"),
    (EventKind.QUEUE_HISTORY, "id customer_id status_to job_id directory_name event details "
     "created_at", "both", "complete"),
    (EventKind.QUEUE_HISTORY, "id job_id created_at", UNKNOWN, "none"),
    (EventKind.WORKER_HEARTBEATS, "worker_id queue_name status last_heartbeat", "migrated",
     "complete"),
    (EventKind.WORKER_HEARTBEATS, "worker_id status last_seen jobs_processed", "live", "partial"),
    (EventKind.WORKER_STATUS, "worker_id last_heartbeat status", "live", "complete"),
    (EventKind.CUSTOMERS, "id:text customer_id business_name email", "live", "complete"),
    (EventKind.CUSTOMERS, "id:uuid business_name email", "autobolt", "complete"),
]  # fmt: skip


def describe(kind: EventKind, columns: str) -> TableMapping:
    """The mapping of a table with these columns; `name:type`, a text where none is given."""
    spec = next(spec for spec in TABLES if spec.kind == kind)
    pairs = (text.partition(":") for text in columns.split())
    table = Table(
        spec=spec,
        schema="public",
        columns={name: kind or "text" for name, _, kind in pairs},
        key=("id",),
        created=None,
        touched=None,
    )
    (mapping,) = describe_mapping([table])
    return mapping


@pytest.mark.parametrize(("kind", "columns", "variant", "evidence"), SHAPES)
def test_a_known_shape_is_named_with_what_it_can_tell(
    kind: EventKind, columns: str, variant: str, evidence: str
) -> None:
    mapping = describe(kind, columns)
    assert (mapping.variant, mapping.evidence) == (variant, evidence)
    assert mapping.meaning.endswith(".")
    assert "\n" not in mapping.meaning


def test_every_variant_of_every_recorded_table_is_recognised_by_some_shape() -> None:
    assert {str(spec.kind) for spec in TABLES} == set(KNOWN)
    seen = {(kind, variant) for kind, _, variant, _ in SHAPES}
    known = {(kind, variant.name) for kind, table in KNOWN.items() for variant in table.variants}
    assert known == {pair for pair in seen if pair[1] != UNKNOWN}


def test_an_unknown_shape_says_which_columns_it_lacks_the_nearest_shape_first() -> None:
    meaning = describe(EventKind.QUEUE_HISTORY, "id job_id customer_id").meaning
    assert "as migrated it lacks event; as live it lacks status_to;" in meaning
    assert "cannot be observed" in meaning


def test_what_a_shape_lacks_is_said_with_its_consequence() -> None:
    mapping = describe(EventKind.QUEUE_HISTORY, "id job_id event details created_at")
    assert mapping.meaning.endswith(
        "Without directory_name, the candidate's outcomes cannot be told apart by directory."
    )


def test_a_history_tells_of_the_candidate_exactly_where_it_has_an_event() -> None:
    # The findings about silence go by that column alone.
    for kind, columns, _, evidence in SHAPES:
        if kind == EventKind.QUEUE_HISTORY:
            assert ("event" in columns.split()) == (evidence != EvidenceLevel.NONE)


def test_a_shape_without_evidence_has_its_mend_and_the_payload_its_words() -> None:
    live = describe(EventKind.QUEUE_HISTORY, "id customer_id status_to")
    assert live.mend is not None
    assert live.mend.startswith("ALTER TABLE public.queue_history ADD COLUMN job_id uuid")
    assert mapping_payload([live]) == {
        "queue_history": {"variant": "live", "evidence": "none", "meaning": live.meaning}
    }
