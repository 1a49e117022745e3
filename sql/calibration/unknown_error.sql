-- fault: the candidate fails with an error that no class describes
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND raw_status IN ('submitted', 'failed', 'error')

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'queue_history' AND directory IS NOT NULL
              AND (payload->>'$.event') IN ('submitted', 'failed', 'error')
         THEN json_merge_patch(payload, '{"event": "error",
                  "details": {"error": "gremlins in the form", "error_type": "RuntimeError"}}')
         ELSE payload END AS payload)
FROM copies
