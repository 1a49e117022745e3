-- What the new stack writes. queue_history gets the database's own time.

-- name: insert_history
INSERT INTO queue_history (job_id, directory_name, event, details)
VALUES (%(job_id)s, %(directory)s, %(event)s, %(details)s);

-- name: insert_result
-- The first attempt makes the row; a later one finds its key and changes nothing.
INSERT INTO job_results (job_id, directory_name, status, idempotency_key, payload)
VALUES (%(job_id)s, %(directory)s, 'submitting', %(idem)s, %(payload)s)
ON CONFLICT (idempotency_key) DO NOTHING;

-- name: beat
INSERT INTO worker_heartbeats (worker_id, queue_name, status, current_job_id, last_heartbeat)
VALUES (%(worker)s, 'default', %(status)s, %(job_id)s, now())
ON CONFLICT (worker_id) DO UPDATE
SET status = excluded.status, current_job_id = excluded.current_job_id,
    last_heartbeat = excluded.last_heartbeat;
