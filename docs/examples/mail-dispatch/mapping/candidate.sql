-- The new dispatcher: a line of its log a phase; 'accepted' is under way, the others are final.
SELECT
    seq,
    occurred_at,
    payload->>'$.batch' AS job_id,
    host_of(payload->>'$.target') AS directory,
    CASE payload->>'$.phase'
        WHEN 'accepted' THEN 'in_flight'
        WHEN 'delivered' THEN 'submitted'
        WHEN 'rejected' THEN 'failed'
        ELSE 'unknown'
    END AS status,
    payload->>'$.phase' AS raw_status,
    payload->>'$.note' AS error_text,
    true AS counts_each,
    CASE WHEN payload->>'$.address' IS NOT NULL
         THEN to_json({'email': payload->>'$.address'}) END AS sent
FROM new_events
WHERE kind = 'dispatch_log' AND payload->>'$.target' IS NOT NULL
