-- fault: the flow is triggered, its message deleted, and it never starts
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now
WHERE triggered_at IS NOT NULL AND epoch($until - triggered_at) * $time_scale > $deadline_s AND NOT EXISTS (FROM blind)

-- name: select_planted
SELECT * FROM copies
WHERE kind <> 'job_results'
  AND (kind <> 'queue_history' OR (payload->>'$.event') IN ('queue_claimed', 'flow_triggered'))
