-- title: A worker tried to leave the sandbox
-- severity: critical
-- why: During a replay something tried to reach an address outside the sandbox. The seal stopped
--   it; in production it would have gone out.
-- mend: Find out what the page or the worker wanted there before running it anywhere else.
-- scope: journal
-- reads: replay.escape
SELECT regexp_replace(source, '^replay:', '') AS mode, job_id, directory,
       concat_ws(' ', (payload->>'$.kind'), (payload->>'$.url'),
                 'in step ' || (payload->>'$.step'), 'stopped by ' || (payload->>'$.layer'),
                 CASE WHEN (payload->>'$.count')::INT > 1
                      THEN '(' || (payload->>'$.count') || ' times)' END) AS detail,
       seq
FROM events_now
WHERE kind = 'replay.escape'
ORDER BY seq, mode, job_id, directory, detail;
