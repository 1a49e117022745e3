-- fault: the jobs table refuses the old poller's word and the job is called failed
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now j
WHERE created_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM submissions_now s WHERE s.job_id = j.job_id AND s.side = 'control')
  AND NOT EXISTS (SELECT 1 FROM submissions_now s WHERE s.job_id = j.job_id
                  AND s.side = 'control' AND s.outcome <> 'submitted')

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, key || ':refused' AS key,
                  json_merge_patch(payload, '{"status": "failed", "error_message":
                      "No pending submissions available for processing"}') AS payload)
FROM copies WHERE kind = 'jobs'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
