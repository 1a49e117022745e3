-- fault: the candidate submits the same listing a second time
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND finals = 1

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, key || ':again' AS key) FROM copies
WHERE kind = 'queue_history' AND directory IS NOT NULL AND (payload->>'$.event') = 'submitted'
