-- fault: the worker never gets a plan for a directory
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND outcome = 'submitted'

-- name: select_planted
SELECT * FROM copies
WHERE kind <> 'job_results' AND (kind <> 'queue_history' OR directory IS NULL)
UNION ALL
SELECT * REPLACE (
    '{"event": "error", "details": {"error": "Failed to get submission plan: 404"}}' AS payload)
FROM copies
WHERE kind = 'queue_history' AND directory IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq) = 1
