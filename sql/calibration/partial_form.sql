-- fault: the site receives a form with an empty field
-- name: select_places
SELECT o.job_id, o.directory FROM submissions_now o JOIN submissions_now c
    ON c.job_id = o.job_id AND c.directory = o.directory AND c.side = 'candidate'
   AND c.mode = 'live'
WHERE o.side = 'observed' AND o.outcome = 'submitted'
  AND trim(o.sent->>'$.phone') <> '' AND trim(c.sent->>'$.phone') <> ''

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'replay.submission'
         THEN json_merge_patch(payload, '{"observed": {"values": {"phone": " "}}}')
         ELSE payload END AS payload)
FROM copies
