-- fault: the candidate leaves out a field that it always sends
-- name: select_places
WITH planned AS (
    SELECT job_id, directory, sent FROM submissions_now
    WHERE side = 'candidate' AND mode = 'live' AND json_type(sent) = 'OBJECT' AND sent <> '{}'
)
SELECT job_id, directory FROM planned
WHERE (sent->>'$.phone') IS NOT NULL
  AND (SELECT count(*) >= 20 AND count(*) FILTER ((sent->>'$.phone') IS NULL) = 0 FROM planned)

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'job_results' AND json_type(payload, '$.payload') = 'OBJECT'
         THEN json_merge_patch(payload, json_object('payload', json_object('plan',
             list_filter(coalesce(from_json(payload->'$.payload.plan.plan', '["JSON"]'),
                                  from_json(payload->'$.payload.plan', '["JSON"]')),
                         lambda step: coalesce(step->>'$.selector', '') NOT LIKE '%phone%'))))
         ELSE payload END AS payload)
FROM copies
