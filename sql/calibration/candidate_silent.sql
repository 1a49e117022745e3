-- fault: the candidate writes nothing of three jobs in a row
-- The two others are the same job under names that come next to it.
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now
WHERE claimed_at IS NOT NULL AND epoch($until - created_at) * $time_scale > $deadline_s
  AND NOT EXISTS (FROM blind)

-- name: select_planted
SELECT * FROM copies WHERE kind NOT IN ('queue_history', 'job_results')
UNION ALL
SELECT c.* REPLACE (c.key || '#' || n AS key, c.job_id || '#' || n AS job_id)
FROM copies c, (SELECT unnest([1, 2]) AS n)
WHERE kind = 'jobs'
