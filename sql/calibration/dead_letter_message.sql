-- fault: the message of the job is given up
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE created_at IS NOT NULL

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, 'sqs.dead_letter' AS kind, 'shadow queue' AS source,
                  key || ':dead' AS key,
                  '{"message_id": "planted", "reason": "exceeded_retry_limit_3"}' AS payload)
FROM copies WHERE kind = 'jobs'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
