-- fault: a second result row under another idempotency key
-- name: select_places
SELECT job_id, host_of(directory) AS directory FROM events_now
WHERE kind = 'job_results' AND (payload->>'$.idempotency_key') IS NOT NULL
  AND job_id IN (SELECT job_id FROM jobs_now)

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, key || ':again' AS key,
                  json_merge_patch(payload, '{"idempotency_key": "planted"}') AS payload)
FROM copies WHERE kind = 'job_results'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
