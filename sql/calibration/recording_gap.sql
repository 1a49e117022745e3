-- fault: a source could not be recorded for a while
-- Of no job: `copies` holds one empty event.
-- name: select_places
SELECT NULL AS job_id, NULL AS directory

-- name: select_planted
SELECT * REPLACE ($until AS occurred_at, 'recorder' AS source, 'record.gap' AS kind,
                  '{"what": "production", "why": "planted", "from": "then", "until": "now"}' AS payload)
FROM copies
