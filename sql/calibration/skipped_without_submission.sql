-- fault: the candidate skips as done what it never submitted
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND raw_status = 'submitted' AND finals = 1

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'queue_history' AND directory IS NOT NULL
              AND (payload->>'$.event') = 'submitted'
         THEN json_merge_patch(payload, '{"event": "skipped_duplicate"}') ELSE payload END
    AS payload)
FROM copies
