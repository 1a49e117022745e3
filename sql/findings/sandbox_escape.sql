-- title: A worker tried to leave the sandbox
-- severity: critical
-- why: During a replay something tried to reach an address outside the sandbox. The seal stopped
--   it; in production it would have gone out.
-- mend: Find out what the page or the worker wanted there before running it anywhere else.
SELECT split_part(source, ':', 2) AS mode, job_id, directory,
       (payload->>'$.kind') || ' ' || (payload->>'$.url') AS detail, seq
FROM events_now
WHERE kind = 'replay.escape'
ORDER BY seq;
