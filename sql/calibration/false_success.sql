-- fault: the worker says submitted and the site received nothing
-- name: select_places
SELECT c.job_id, c.directory FROM submissions_now c JOIN submissions_now o
    USING (mode, job_id, directory)
WHERE c.side = 'candidate' AND o.side = 'observed'
  AND c.outcome = 'submitted' AND o.outcome = 'submitted'

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'replay.submission'
         THEN json_merge_patch(payload, '{"observed": {"accepted": 0, "posts": 0}}')
         ELSE payload END AS payload)
FROM copies
