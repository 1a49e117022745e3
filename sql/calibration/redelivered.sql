-- fault: every event of the job is delivered a second time
-- effect: innocent
-- The same keys come once more at the end, in a batch of their own.
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE created_at IS NOT NULL

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 1e12 AS seq) FROM copies
