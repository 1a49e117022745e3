-- A job is a batch. The dispatcher takes it up with its first line and ends it with 'closed'.
SELECT
    seq,
    payload->>'$.batch_no' AS job_id,
    moment_of(payload->>'$.issued_at') AS created_at,
    TRY_CAST(payload->>'$.invoices' AS INTEGER) AS package_size,
    NULL::TIMESTAMPTZ AS claimed_at,
    NULL::TIMESTAMPTZ AS triggered_at,
    NULL::TIMESTAMPTZ AS flow_started_at,
    NULL::TIMESTAMPTZ AS candidate_finished_at
FROM new_events
WHERE kind = 'invoice_batch'
UNION ALL
SELECT
    seq,
    payload->>'$.batch',
    NULL,
    NULL,
    CASE WHEN payload->>'$.phase' = 'accepted' THEN occurred_at END,
    CASE WHEN payload->>'$.phase' = 'accepted' THEN occurred_at END,
    CASE WHEN payload->>'$.phase' = 'accepted' THEN occurred_at END,
    CASE WHEN payload->>'$.phase' = 'closed' THEN occurred_at END
FROM new_events
WHERE kind = 'dispatch_log' AND payload->>'$.phase' IN ('accepted', 'closed')
