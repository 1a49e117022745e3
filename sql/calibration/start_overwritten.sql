-- fault: the candidate writes its own start over that of the control
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE control_started_at IS NOT NULL

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, key || ':overwritten' AS key, json_merge_patch(
    payload, json_object('started_at', occurred_at + INTERVAL 1 HOUR)) AS payload)
FROM copies WHERE kind = 'jobs' AND (payload->>'$.started_at') IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
