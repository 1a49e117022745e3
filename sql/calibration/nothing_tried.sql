-- fault: the flow ends the job and has begun no directory
-- name: select_places
SELECT job_id, NULL AS directory FROM events_now
WHERE kind = 'queue_history' AND (payload->>'$.event') = 'job_finalized'
  AND job_id IN (SELECT job_id FROM jobs_now)

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN (payload->>'$.event') = 'job_finalized'
         THEN json_merge_patch(
             payload, '{"details": {"final_status": "failed", "total": 3, "failed": 3}}')
         ELSE payload END AS payload)
FROM copies
WHERE kind <> 'job_results' AND (kind <> 'queue_history' OR directory IS NULL)
