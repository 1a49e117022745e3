-- fault: every directory of a job runs out of time at the candidate
-- name: select_places
WITH given AS (
    SELECT job_id, directory FROM submissions_now
    WHERE side = 'control' AND mode = 'live'
    GROUP BY job_id, directory HAVING bool_and(outcome = 'submitted')
), worked AS (
    SELECT c.job_id, c.outcome FROM submissions_now c JOIN given USING (job_id, directory)
    WHERE c.side = 'candidate' AND c.mode = 'live'
)
SELECT job_id, NULL AS directory FROM worked
GROUP BY job_id
HAVING count(*) FILTER (outcome = 'submitted') >= 5
   AND 2 * count(*) FILTER (outcome = 'submitted') >= count(*)

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'queue_history' AND directory IS NOT NULL
          AND (payload->>'$.event') = 'submitted'
         THEN '{"event": "error", "details": {"error": "Timeout 30000ms exceeded."}}'
         ELSE payload END AS payload)
FROM copies
