-- fault: the control submits the same directory a second time
-- name: select_places
SELECT s.job_id, s.directory FROM submissions_now s
WHERE s.side = 'control' AND s.mode = 'live' AND outcome = 'submitted' AND attempts >= 1
  -- A row that names only its customer does not go with a copy of the job.
  AND EXISTS (SELECT 1 FROM events_now e
              WHERE e.kind = 'directory_submissions' AND e.job_id = s.job_id
                AND (e.payload->>'$.id') = s.unit AND host_of(e.directory) = s.directory)

-- name: select_planted
WITH last AS (
    SELECT * FROM copies WHERE kind = 'directory_submissions'
    QUALIFY row_number() OVER (PARTITION BY mutant, payload->>'$.id' ORDER BY seq DESC) = 1
)
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.3 AS seq, key || ':again' AS key,
                  json_merge_patch(payload, '{"status": "submitting"}') AS payload) FROM last
UNION ALL
SELECT * REPLACE (seq + 0.6 AS seq, key || ':ended' AS key) FROM last
