-- fault: a worker falls silent with work in hand
-- Of no job: `copies` holds one empty event.
-- name: select_places
SELECT NULL AS job_id, NULL AS directory

-- name: select_planted
SELECT * REPLACE ($until AS occurred_at, 'production' AS source, 'workers.sample' AS kind,
                  '{"stale": ["planted"], "stale_count": 1}' AS payload)
FROM copies
