-- What the new stack writes. queue_history gets the database's own time.

-- name: insert_history
INSERT INTO queue_history (job_id, directory_name, event, details)
VALUES (%(job_id)s, %(directory)s, %(event)s, %(details)s);

-- name: insert_result
-- The first attempt makes the row; a later one finds its key and changes nothing.
INSERT INTO job_results (job_id, directory_name, status, idempotency_key, payload)
VALUES (%(job_id)s, %(directory)s, %(status)s, %(idem)s, %(payload)s)
ON CONFLICT (idempotency_key) DO NOTHING;

-- name: end_result
UPDATE job_results
SET status = %(status)s, screenshot_url = %(screenshot_url)s, listing_url = %(listing_url)s,
    error_message = %(error_message)s
WHERE idempotency_key = %(idem)s;

-- name: overwrite_start
-- Only once the old poller's own time has stood there for a while: long enough to be recorded.
UPDATE jobs SET started_at = now()
WHERE id = %(job_id)s AND started_at < now() - interval '2 seconds';

-- name: put_back
-- The stale-job monitor; it waits as above.
UPDATE jobs SET status = 'pending'
WHERE id = %(job_id)s AND status = 'in_progress' AND started_at < now() - interval '1.5 seconds';

-- name: select_job_status
SELECT status FROM jobs WHERE id = %(job_id)s;

-- name: roll_migration_back
-- What somebody does who takes the new column for a mistake.
ALTER TABLE queue_history DROP COLUMN event;

-- name: beat
INSERT INTO worker_heartbeats (worker_id, queue_name, status, current_job_id, last_heartbeat)
VALUES (%(worker)s, 'default', %(status)s, %(job_id)s, now())
ON CONFLICT (worker_id) DO UPDATE
SET status = excluded.status, current_job_id = excluded.current_job_id,
    last_heartbeat = excluded.last_heartbeat;
