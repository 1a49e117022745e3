-- fault: the events of the job come in another order
-- effect: innocent
-- What one row or one directory's history says keeps its order.
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE created_at IS NOT NULL

-- name: select_planted
SELECT * REPLACE (seq + 1e12 * (hash(kind, directory, CASE WHEN kind = 'directory_submissions'
                      THEN payload->>'$.id' END) % 7) AS seq)
FROM copies
