-- fault: the candidate runs out of time at another address than the control's
-- name: select_places
SELECT c.job_id, c.directory FROM submissions_now c JOIN submissions_now o
    ON o.job_id = c.job_id AND o.directory = c.directory AND o.side = 'control' AND o.mode = 'live'
WHERE c.side = 'candidate' AND c.mode = 'live' AND c.outcome = 'submitted'
  -- A control row that names only its customer does not go with a copy of the job.
  AND EXISTS (SELECT 1 FROM events_now e
              WHERE e.kind = 'directory_submissions' AND e.job_id = c.job_id
                AND host_of(e.directory) = c.directory)
GROUP BY c.job_id, c.directory
HAVING bool_and(o.outcome = 'submitted') AND min(path_of(o.url)) <> min(path_of(c.url))

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'queue_history' AND directory IS NOT NULL
          AND (payload->>'$.event') = 'submitted'
         THEN '{"event": "error", "details": {"error": "Timeout 10000ms exceeded."}}'
         ELSE payload END AS payload)
FROM copies
