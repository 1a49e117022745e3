-- fault: the candidate's result rows stay as they were begun
-- name: select_places
SELECT job_id, NULL AS directory FROM events_now
WHERE kind = 'job_results' AND (payload->>'$.idempotency_key') IS NOT NULL
  AND (payload->>'$.status') IN ('submitted', 'failed')
  AND job_id IN (SELECT job_id FROM submissions_now s
                 WHERE s.side = 'candidate' AND s.mode = 'live'
                   AND epoch($until - finished_at) * $time_scale > 60
                   AND raw_status IN ('submitted', 'failed'))

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'job_results' THEN json_merge_patch(payload, '{"status": "submitting"}')
         ELSE payload END AS payload)
FROM copies
