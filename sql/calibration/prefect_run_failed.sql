-- fault: the flow run of the job crashes
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE created_at IS NOT NULL

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, 'prefect.flow_run' AS kind, 'prefect' AS source,
                  key || ':crashed' AS key,
                  '{"flow_run_id": "planted", "state_type": "CRASHED", "state_name": "Crashed"}'
                      AS payload)
FROM copies WHERE kind = 'jobs'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
