-- fault: Prefect has no deployment to run
-- Of no job: `copies` holds one empty event.
-- name: select_places
SELECT NULL AS job_id, NULL AS directory

-- name: select_planted
SELECT * REPLACE ($until AS occurred_at, 'prefect' AS source, 'prefect.sample' AS kind,
                  '{"healthy": true, "deployments": 1, "deployment": {"name": "planted", "exists": false}}' AS payload)
FROM copies
