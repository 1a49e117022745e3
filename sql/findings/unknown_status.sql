-- title: A status word that no mapping knows
-- severity: warning
-- why: A row carries a status that the mapping of its source does not list. Its submission cannot
--   be compared until the word is mapped.
-- mend: Add the word to the mapping of this source, in sql/sources.
-- scope: job
-- reads: jobs_now where not is_job_word(control_status); submissions_now where outcome = 'unknown';
--   queue_history where source = 'production' and not is_event_word(payload->>'$.event')
SELECT mode, job_id, directory, side || ' says ' || coalesce(raw_status, 'nothing') AS detail,
       from_seq AS seq
FROM submissions_now
WHERE outcome = 'unknown'
UNION ALL
SELECT 'live', job_id, NULL, 'jobs says ' || control_status, from_seq
FROM jobs_now
WHERE NOT is_job_word(control_status)
UNION ALL
SELECT 'live', job_id, directory, 'candidate says ' || (payload->>'$.event'), seq
FROM events_now
WHERE kind = 'queue_history' AND source = 'production'
  AND NOT is_event_word(payload->>'$.event')
ORDER BY mode, job_id, directory, seq, detail;
