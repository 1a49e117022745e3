-- fault: the job is closed and one of its rows is left undone
-- name: select_places
SELECT job_id, directory FROM submissions_now s JOIN jobs_now j USING (job_id)
WHERE s.side = 'control' AND s.mode = 'live' AND s.outcome IN ('submitted', 'failed')
  AND j.control_status IN ('failed', 'complete', 'completed', 'cancelled')
  AND epoch($until - coalesce(j.control_finished_at, j.control_started_at, j.created_at)) * $time_scale > $deadline_s

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'directory_submissions'
         THEN json_merge_patch(payload, '{"status": "pending", "result_message": null}')
         ELSE payload END AS payload)
FROM copies
