-- fault: the worker ends otherwise when the submission is replayed again
-- name: select_places
SELECT c.job_id, c.directory FROM submissions_now c JOIN submissions_now o
    USING (mode, job_id, directory)
WHERE c.side = 'candidate' AND o.side = 'observed'
  AND c.outcome = 'submitted' AND o.outcome = 'submitted'

-- name: select_planted
SELECT * FROM copies
UNION ALL
SELECT * REPLACE (
    seq + 0.5 AS seq, 'replay.again' AS kind, key || ':again' AS key,
    json_merge_patch(payload, '{"flaky": true, "first": {"claimed": "submitted", "accepted": 1},
        "claimed": {"status": "failed"}, "observed": {"accepted": 0}}') AS payload)
FROM copies WHERE kind = 'replay.submission'
QUALIFY row_number() OVER (PARTITION BY mutant ORDER BY seq DESC) = 1
