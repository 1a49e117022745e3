-- fault: the job is never put into the new queue
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now
WHERE claimed_at IS NOT NULL AND epoch($until - created_at) * $time_scale > $deadline_s AND NOT EXISTS (FROM blind)

-- name: select_planted
SELECT * FROM copies WHERE kind NOT IN ('queue_history', 'job_results')
