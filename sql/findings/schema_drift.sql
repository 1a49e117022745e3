-- title: The schema changed while recording
-- severity: warning
-- why: Between two looks a recorded table lost or changed something that a mapping may need. Rows
--   are recorded as they are; facts that came from what is gone are missing from then on.
-- mend: See what shadow doctor says of the new shape, and whether the change was meant to happen in
--   the shadow week.
-- scope: journal
-- reads: schema.drift
WITH drifts AS (
    -- A column or table that was only added takes nothing away.
    SELECT seq, (payload->>'$.table') AS "table", (payload->>'$.change') AS change,
           array_to_string(json_keys(payload, '$.missing'), ', ') AS missing,
           array_to_string(json_keys(payload, '$.retyped'), ', ') AS retyped,
           coalesce(json_type(payload, '$.key') = 'ARRAY', false) AS rekeyed,
           coalesce((payload->'$.by_time') = '[true,false]', false) AS inexact
    FROM events_now
    WHERE kind = 'schema.drift'
)
SELECT 'live' AS mode, NULL AS job_id, NULL AS directory,
       "table" || ' ' || CASE WHEN change = 'vanished' THEN change ELSE concat_ws(', ',
           CASE WHEN change = 'recreated' THEN 'was made anew' END,
           'lost ' || nullif(missing, ''),
           'changed the type of ' || nullif(retyped, ''),
           CASE WHEN rekeyed THEN 'has another key' END,
           CASE WHEN inexact THEN 'has no exact creation time any more' END) END AS detail,
       seq
FROM drifts
WHERE change IN ('vanished', 'recreated') OR missing <> '' OR retyped <> '' OR rekeyed OR inexact
ORDER BY seq, job_id, directory, detail;
