-- fault: another program writes a result for the same job
-- name: select_places
SELECT job_id, directory FROM submissions_now
WHERE side = 'control' AND mode = 'live'

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, 'job_results' AS kind, key || ':other' AS key,
                  '{"status": "submitted"}' AS payload)
FROM copies WHERE kind = 'directory_submissions'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
