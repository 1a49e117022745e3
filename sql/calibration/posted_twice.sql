-- fault: the worker sends the form twice within one submission
-- name: select_places
SELECT o.job_id, o.directory FROM submissions_now o
WHERE o.side = 'observed' AND o.outcome = 'submitted'

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'replay.submission'
         THEN json_merge_patch(payload, '{"observed": {"accepted": 2, "posts": 2}}')
         ELSE payload END AS payload)
FROM copies
