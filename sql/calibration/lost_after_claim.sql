-- fault: the message is claimed and no flow is triggered
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now
WHERE claimed_at IS NOT NULL AND epoch($until - claimed_at) * $time_scale > $deadline_s AND NOT EXISTS (FROM blind)

-- name: select_planted
SELECT * FROM copies
WHERE kind <> 'job_results'
  AND (kind <> 'queue_history' OR (payload->>'$.event') = 'queue_claimed')
