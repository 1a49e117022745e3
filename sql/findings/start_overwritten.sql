-- title: The start of a job was written over
-- severity: warning
-- why: jobs.started_at changed after it had been set. The old poller keeps the first start of a job,
--   so another program writes the same row: the shadow disturbs what it measures, and waits and
--   durations that are read from this row are wrong.
-- mend: Let the candidate write to jobs only when it has taken over; take its times from
--   queue_history.
-- scope: job
-- reads: jobs where (payload->>'$.started_at') is not null
WITH starts AS (
    SELECT job_id, moment_of(payload->>'$.started_at') AS started_at, min(seq) AS seq
    FROM events_now
    WHERE kind = 'jobs' AND source = 'production' AND (payload->>'$.started_at') IS NOT NULL
    GROUP BY ALL
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       'first ' || strftime(arg_min(started_at, seq), '%H:%M:%S') || ' UTC, then '
           || string_agg(strftime(started_at, '%H:%M:%S'), ', ' ORDER BY seq)
              FILTER (seq > first_seq) AS detail,
       max(seq) AS seq
FROM (SELECT *, min(seq) OVER (PARTITION BY job_id) AS first_seq FROM starts)
WHERE started_at IS NOT NULL AND job_id IN (SELECT job_id FROM jobs_now)
GROUP BY job_id
HAVING count(*) > 1
ORDER BY job_id, directory, detail, seq;
