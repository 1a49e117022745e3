-- fault: the look for an earlier row fails
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND outcome = 'submitted' AND started_at IS NOT NULL

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq - 0.5 AS seq, key || ':raised' AS key,
                  '{"event": "error", "details": {"error": "Failed to check idempotency: no attribute ''data''"}}' AS payload)
FROM copies
WHERE kind = 'queue_history' AND directory IS NOT NULL AND (payload->>'$.event') = 'submitting'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq) = 1
