-- Jobs: the shared jobs row in any of its shapes (the control's word), and the candidate's job-level
-- events.
-- In: new_events. Out: job facts. A NULL says nothing about that column.
-- name: job_facts
SELECT
    seq,
    job_id,
    (payload->>'$.customer_id') AS customer_id,
    TRY_CAST(coalesce(payload->>'$.package_size', payload->>'$.directory_limit') AS INT)
        AS package_size,
    TRY_CAST(coalesce(payload->>'$.priority_level', payload->>'$.priority') AS INT) AS priority,
    -- A job without a time of its own must not vanish: then it counts from when it was written.
    coalesce(moment_of(payload->>'$.created_at'), occurred_at) AS created_at,
    (payload->>'$.status') AS control_status,
    moment_of(payload->>'$.started_at') AS control_started_at,
    moment_of(payload->>'$.completed_at') AS control_finished_at,
    (payload->>'$.error_message') AS control_error,
    (payload->'$.business_data') AS business,
    NULL::TIMESTAMPTZ AS claimed_at,
    NULL::TIMESTAMPTZ AS triggered_at,
    NULL::TIMESTAMPTZ AS flow_started_at,
    NULL::TIMESTAMPTZ AS candidate_finished_at,
    NULL::VARCHAR AS candidate_status
FROM new_events
WHERE kind = 'jobs' AND source = 'production'
UNION ALL
SELECT
    seq, job_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    CASE WHEN (payload->>'$.event') = 'queue_claimed' THEN occurred_at END,
    CASE WHEN (payload->>'$.event') = 'flow_triggered' THEN occurred_at END,
    CASE WHEN (payload->>'$.event') = 'flow_started' THEN occurred_at END,
    -- flow_completed is written however the job ended, even where finalising it failed.
    CASE WHEN (payload->>'$.event') IN ('job_finalized', 'job_failed') THEN occurred_at END,
    CASE (payload->>'$.event')
        WHEN 'job_finalized' THEN (payload->>'$.details.final_status')
        WHEN 'job_failed' THEN 'failed'
    END
FROM new_events
WHERE kind = 'queue_history' AND source = 'production' AND directory IS NULL
  AND (payload->>'$.event') IN ('queue_claimed', 'flow_triggered', 'flow_started', 'job_finalized',
                              'job_failed');
