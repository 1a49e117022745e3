-- What the old poller asks and writes. Its times are the client's own clock.

-- name: select_next_job
SELECT id::text AS id FROM jobs
WHERE status IN ('pending', 'in_progress') ORDER BY created_at LIMIT 1;

-- name: start_job
UPDATE jobs SET status = 'in_progress', started_at = coalesce(started_at, %(now)s),
                error_message = NULL, updated_at = %(now)s
WHERE id = %(job_id)s;

-- name: select_work
SELECT id::text AS id FROM directory_submissions
WHERE submission_queue_id = %(job_id)s AND status IN ('pending', 'submitting')
ORDER BY created_at;

-- name: begin_submission
UPDATE directory_submissions SET status = 'submitting', updated_at = %(now)s WHERE id = %(id)s;

-- name: end_submission
UPDATE directory_submissions
SET status = %(status)s, result_message = %(message)s, updated_at = %(now)s
WHERE id = %(id)s;

-- name: fail_job
UPDATE jobs SET status = 'failed', error_message = %(message)s, completed_at = %(now)s,
                updated_at = %(now)s
WHERE id = %(job_id)s;

-- name: complete_job
-- The live CHECK knows the word 'complete' only, so this is refused.
UPDATE jobs SET status = 'completed', error_message = NULL, completed_at = %(now)s,
                updated_at = %(now)s
WHERE id = %(job_id)s;

-- name: beat
INSERT INTO worker_status (worker_id, last_heartbeat, status, desired_state)
VALUES (%(worker)s, %(now)s, %(status)s, 'running')
ON CONFLICT (worker_id) DO UPDATE
SET last_heartbeat = excluded.last_heartbeat, status = excluded.status;
