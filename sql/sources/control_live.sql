-- Control: the old poller's outcomes, from row versions of directory_submissions in any of its
-- shapes. In: new_events, and the jobs projection up to the newest event. Out: submission facts, one
-- a row version; the unit is the row.
-- name: control_submission_facts
WITH nameless AS (
    SELECT seq, occurred_at, payload, (payload->>'$.id') AS unit,
           (payload->>'$.customer_job_id') AS customer_id
    FROM events
    WHERE kind = 'directory_submissions' AND source = 'production' AND job_id IS NULL
), owners AS (
    -- A row that names only its job's customer refers to a column that is unique among jobs. Where
    -- there is no such row, the jobs are not looked at (20 ms for 100,000 versions, each append).
    SELECT customer_id, arg_min(job_id, from_seq) AS job_id, min(from_seq) AS seq
    FROM jobs
    WHERE customer_id IS NOT NULL AND EXISTS (FROM nameless)
    GROUP BY customer_id
), told AS (
    SELECT seq, job_id, occurred_at, payload
    FROM new_events
    WHERE kind = 'directory_submissions' AND source = 'production' AND job_id IS NOT NULL
    UNION ALL
    -- It counts once both it and its job are recorded; what it said before that, by its last word.
    SELECT greatest(n.seq, o.seq) AS known_seq, o.job_id, n.occurred_at, n.payload
    FROM nameless n JOIN owners o USING (customer_id)
    WHERE known_seq > getvariable('facts_since')
    QUALIFY row_number() OVER (PARTITION BY n.unit, known_seq ORDER BY n.seq DESC) = 1
), worded AS (
    SELECT *, coalesce(payload->>'$.status', payload->>'$.submission_status') AS word
    FROM told
)
SELECT
    seq,
    'live' AS mode,
    'control' AS side,
    job_id,
    (payload->>'$.id') AS unit,
    host_of(payload->>'$.directory_url') AS directory,
    CASE
        WHEN word IN ('pending', 'queued', 'submitting', 'in_progress', 'processing', 'retry')
            THEN 'in_flight'
        WHEN word IN ('submitted', 'approved', 'success') THEN 'submitted'
        WHEN word IN ('failed', 'rejected', 'no_form', 'error', 'manual_required') THEN 'failed'
        ELSE 'unknown'
    END AS status,
    word AS raw_status,
    CASE WHEN word IN ('failed', 'rejected', 'no_form', 'error', 'manual_required')
         THEN coalesce(payload->>'$.result_message', payload->>'$.error_message',
                       payload->>'$.rejection_reason') END AS error_text,
    word IN ('submitting', 'in_progress', 'processing') AS begins,
    word NOT IN ('pending', 'queued', 'submitting', 'in_progress', 'processing', 'retry')
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
FROM worded;
