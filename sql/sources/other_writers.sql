-- Other writers: rows of job_results that are not the candidate's. The old API and several old workers
-- write such rows (one inserts its whole list again each time, one only pretends to submit), and no
-- column says which. They are facts of a side of their own, which is compared with nothing.
-- In: new_events. Out: submission facts, one a row; the unit is the host.
-- name: other_submission_facts
WITH rows AS (
    SELECT *, coalesce(payload->>'$.status', payload->>'$.submission_status') AS word
    FROM new_events
    -- The candidate never writes without its key, nor without the plan that it is about to follow.
    WHERE kind = 'job_results' AND source = 'production' AND job_id IS NOT NULL
      AND (payload->>'$.idempotency_key') IS NULL
      AND json_type(payload, '$.payload') IS DISTINCT FROM 'OBJECT'
      -- The row that closes a job at the old API is no submission.
      AND directory <> 'COMPLETION_LOG'
)
SELECT
    seq,
    'live' AS mode,
    'other' AS side,
    job_id,
    host_of(directory) AS unit,
    host_of(directory) AS directory,
    CASE
        WHEN word IN ('pending', 'submitting', 'processing', 'retry') THEN 'in_flight'
        WHEN word IN ('submitted', 'approved') THEN 'submitted'
        WHEN word IN ('failed', 'rejected') THEN 'failed'
        WHEN word = 'skipped' THEN 'skipped'
        ELSE 'unknown'
    END AS status,
    word AS raw_status,
    (payload->>'$.error_message') AS error_text,
    false AS begins,
    word IN ('submitted', 'approved') AS terminal,
    false AS counts_each,
    occurred_at,
    NULL::DOUBLE AS duration_ms,
    NULL AS url,
    (payload->>'$.listing_url') AS listing_url,
    NULL::JSON AS sent
FROM rows;
