-- fault: the control writes a status that nobody knows
-- name: select_places
SELECT job_id, directory FROM submissions_now
WHERE side = 'control' AND mode = 'live' AND outcome IN ('submitted', 'failed')

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, key || ':unknown' AS key,
                  json_merge_patch(payload, '{"status": "levitating"}') AS payload)
FROM copies WHERE kind = 'directory_submissions'
QUALIFY row_number() OVER (PARTITION BY mutant, payload->>'$.id' ORDER BY seq DESC) = 1
