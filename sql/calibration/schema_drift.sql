-- fault: a recorded table loses a column
-- Of no job: `copies` holds one empty event.
-- name: select_places
SELECT NULL AS job_id, NULL AS directory

-- name: select_planted
SELECT * REPLACE ($until AS occurred_at, 'recorder' AS source, 'schema.drift' AS kind,
                  '{"table": "planted", "change": "changed", "missing": {"status": "text"}}' AS payload)
FROM copies
