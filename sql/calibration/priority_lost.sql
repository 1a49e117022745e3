-- fault: a job of the highest priority runs as one of the lowest
-- name: select_places
SELECT job_id, NULL AS directory FROM jobs_now WHERE flow_started_at IS NOT NULL

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'jobs' THEN json_merge_patch(payload, '{"priority_level": 1}')
         WHEN (payload->>'$.event') = 'flow_started'
         THEN json_merge_patch(payload, '{"details": {"priority": "starter"}}')
         ELSE payload END AS payload)
FROM copies
