-- fault: the control has a second address at the same host
-- name: select_places
SELECT job_id, directory FROM submissions_now
WHERE side = 'control' AND mode = 'live' AND directory <> ''
GROUP BY job_id, directory HAVING count(*) = 1

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (seq + 0.5 AS seq, key || ':second' AS key,
                  json_merge_patch(payload, '{"id": "planted"}') AS payload)
FROM copies WHERE kind = 'directory_submissions'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
