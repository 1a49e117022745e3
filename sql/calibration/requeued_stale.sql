-- fault: the stale-job monitor takes the job for dead and sends it again
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE created_at IS NOT NULL

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, 'queue_history' AS kind, key || ':requeued' AS key,
                  '{"status_from": "in_progress", "status_to": "pending",
                    "metadata": {"event": "requeued_stale"}}' AS payload)
FROM copies WHERE kind = 'jobs'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
