-- Control: the old poller's outcomes, from row versions of directory_submissions (LIVE shape).
-- In: new_events. Out: submission facts, one a row version; the unit is the row.
-- name: control_submission_facts
SELECT
    seq,
    'live' AS mode,
    'control' AS side,
    job_id,
    (payload->>'$.id') AS unit,
    host_of(payload->>'$.directory_url') AS directory,
    CASE
        WHEN (payload->>'$.status') IN ('pending', 'submitting', 'in_progress', 'processing', 'retry')
            THEN 'in_flight'
        WHEN (payload->>'$.status') IN ('submitted', 'approved', 'success') THEN 'submitted'
        WHEN (payload->>'$.status') IN ('failed', 'rejected', 'no_form', 'error', 'manual_required')
            THEN 'failed'
        ELSE 'unknown'
    END AS status,
    (payload->>'$.status') AS raw_status,
    CASE WHEN (payload->>'$.status') IN ('failed', 'rejected', 'no_form', 'error', 'manual_required')
         THEN (payload->>'$.result_message') END AS error_text,
    (payload->>'$.status') IN ('submitting', 'in_progress', 'processing') AS begins,
    (payload->>'$.status') NOT IN ('pending', 'submitting', 'in_progress', 'processing', 'retry')
        AS terminal,
    -- A row version repeats its status when another column changes; only a change counts.
    false AS counts_each,
    occurred_at,
    NULL::DOUBLE AS duration_ms,
    (payload->>'$.directory_url') AS url,
    NULL AS listing_url,
    CASE WHEN (payload->>'$.listing_data.email') IS NOT NULL
              OR (payload->>'$.listing_data.business_name') IS NOT NULL
         THEN (payload->'$.listing_data') END AS sent
FROM new_events
WHERE kind = 'directory_submissions' AND source = 'production' AND job_id IS NOT NULL;
