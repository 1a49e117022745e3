-- fault: a submission is begun and no outcome follows
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND outcome <> 'in_flight' AND started_at IS NOT NULL
  AND epoch($until - started_at) * $time_scale > $deadline_s AND NOT EXISTS (FROM blind)

-- name: select_planted
SELECT * FROM copies
WHERE kind <> 'queue_history' OR directory IS NULL OR (payload->>'$.event') = 'submitting'
