-- fault: a worker ends without signing off, and another one goes on
-- Of no job: `copies` holds one empty event.
-- name: select_places
SELECT NULL AS job_id, NULL AS directory

-- name: select_planted
SELECT c.* REPLACE (
    $until AS occurred_at, 'production' AS source, 'worker_heartbeats' AS kind,
    c.key || worker AS key, json_object('worker_id', worker, 'status', status,
                                        'last_heartbeat', $until - silent) AS payload)
FROM copies c, (VALUES ('ended', 'idle', INTERVAL 1 DAY), ('working', 'running', INTERVAL 0 DAY))
    AS beats(worker, status, silent)
