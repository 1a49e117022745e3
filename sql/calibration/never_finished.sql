-- fault: the flow starts and the job never ends
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now j
WHERE flow_started_at IS NOT NULL AND candidate_finished_at IS NOT NULL
  AND epoch($until - candidate_finished_at) * $time_scale > $deadline_s AND NOT EXISTS (FROM blind)
  AND NOT EXISTS (SELECT 1 FROM submissions_now s WHERE s.job_id = j.job_id
                  AND s.side = 'candidate' AND s.mode = 'live' AND s.outcome = 'in_flight')

-- name: select_planted
SELECT * FROM copies
WHERE kind <> 'queue_history'
   OR (payload->>'$.event') NOT IN ('job_finalized', 'job_failed', 'flow_completed')
