-- fault: the candidate leaves out at one directory what it fills in at all others
-- name: select_places
SELECT job_id, NULL AS directory FROM submissions_now
WHERE side = 'candidate' AND mode = 'live' AND json_type(sent) = 'OBJECT' AND sent <> '{}'
GROUP BY job_id
HAVING count(*) >= 5 AND count(*) = count(sent->>'$.phone')

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'job_results' AND json_type(payload, '$.payload') = 'OBJECT'
          AND directory = min(directory) FILTER (
                  kind = 'job_results' AND json_type(payload, '$.payload') = 'OBJECT')
              OVER (PARTITION BY mutant)
         THEN json_merge_patch(payload, json_object('payload', json_object('plan',
             list_filter(coalesce(from_json(payload->'$.payload.plan.plan', '["JSON"]'),
                                  from_json(payload->'$.payload.plan', '["JSON"]')),
                         lambda step: coalesce(step->>'$.selector', '') NOT LIKE '%phone%'))))
         ELSE payload END AS payload)
FROM copies
