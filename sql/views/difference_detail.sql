-- Both sides of one submission and everything recorded about it.

-- name: select_sides
SELECT side, mode, outcome, error_class, error_text, attempts, started_at, finished_at,
       duration_ms, url, sent
FROM submissions_now
WHERE job_id = $job_id AND directory = $directory
  AND (mode = $mode OR side = 'control')
ORDER BY CASE side WHEN 'control' THEN 0 WHEN 'candidate' THEN 1 ELSE 2 END, unit;

-- name: select_timeline
-- The submission's own events and those of its job.
SELECT seq, occurred_at, source, kind, payload
FROM events_now
WHERE job_id = $job_id
  AND (directory IS NULL
       OR regexp_replace(lower(directory), '^www\.', '') = $directory)
  AND (source = 'production' OR source = 'replay:' || $mode)
ORDER BY occurred_at, seq;
