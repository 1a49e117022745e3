-- fault: the history of the candidate loses the column it is told in
-- Of no job: `copies` holds one empty event.
-- name: select_places
-- Before the first look nothing is known, so one that finds nothing would speak of all the time.
SELECT NULL AS job_id, NULL AS directory
WHERE EXISTS (SELECT 1 FROM events_now
              WHERE kind = 'record.started' AND json_exists(payload, '$.tables.queue_history'))

-- name: select_planted
SELECT * REPLACE ($until + INTERVAL 366 DAY AS occurred_at, 'recorder' AS source, 'record.started' AS kind,
                  '{"session": "planted", "tables": {"queue_history": ["id", "customer_id"]}}' AS payload)
FROM copies
