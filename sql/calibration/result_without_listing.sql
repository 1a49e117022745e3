-- fault: the addresses of listing and screenshot are dropped
-- name: select_places
SELECT job_id, NULL AS directory FROM events_now
WHERE kind = 'job_results' AND (payload->>'$.idempotency_key') IS NOT NULL
  AND (payload->>'$.status') = 'submitted' AND (payload->>'$.listing_url') IS NOT NULL
  AND job_id IN (SELECT job_id FROM jobs_now)

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'job_results'
         THEN json_merge_patch(payload, '{"listing_url": null, "screenshot_url": null}')
         ELSE payload END AS payload)
FROM copies
