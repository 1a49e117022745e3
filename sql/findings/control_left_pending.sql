-- title: Left undone in a closed job
-- severity: warning
-- why: The job is closed, so the old poller will not look at it again; but this row of its work
--   list has no outcome. It stays open for ever, and so does its comparison.
-- mend: Set the job back to pending if the listing is still owed; leave it out of the comparison
--   otherwise.
-- scope: job
-- reads: jobs_now where control_status in ('failed', 'complete', 'completed', 'cancelled')
--     and coalesce(control_finished_at, control_started_at, created_at)
--         <= $until - to_seconds($deadline_s / $time_scale)
WITH closed AS (
    SELECT job_id, control_status,
           coalesce(control_finished_at, control_started_at, created_at) AS closed_at
    FROM jobs_now
    WHERE control_status IN ('failed', 'complete', 'completed', 'cancelled')
)
SELECT 'live' AS mode, job_id, s.directory,
       'job ' || control_status || ' ' || strftime(closed_at, '%H:%M:%S') || ' UTC, row still '
           || coalesce(s.raw_status, 'without a word') AS detail,
       s.from_seq AS seq
FROM submissions_now s JOIN closed USING (job_id)
WHERE s.side = 'control' AND s.mode = 'live' AND s.outcome = 'in_flight'
  AND epoch($until - closed_at) * $time_scale > $deadline_s
ORDER BY closed_at, job_id, s.directory, s.unit, detail, seq;
