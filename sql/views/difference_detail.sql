-- Both sides of one submission and everything recorded about it.

-- name: select_sides
-- What a control sent is chosen as in select_submissions: its own row, else the job's business.
SELECT s.side, s.mode, s.outcome, s.error_class, s.error_text, s.attempts, s.started_at,
       s.finished_at, s.duration_ms, s.url,
       CASE WHEN s.side = 'control' THEN coalesce(s.sent, j.business) ELSE s.sent END AS sent
FROM submissions_now s LEFT JOIN jobs_now j USING (job_id)
WHERE s.job_id = $job_id AND coalesce(s.directory, '') = $directory
  AND (s.mode = $mode OR s.side = 'control')
ORDER BY CASE s.side WHEN 'control' THEN 0 WHEN 'candidate' THEN 1 ELSE 2 END, s.unit;

-- name: select_timeline
-- The submission's own events and those of its job.
SELECT seq, occurred_at, source, kind, payload
FROM events_now
WHERE job_id = $job_id
  AND (directory IS NULL
       OR regexp_replace(lower(directory), '^www\.', '') = $directory)
  AND (source = 'production' OR source = 'replay:' || $mode)
ORDER BY occurred_at, seq;
