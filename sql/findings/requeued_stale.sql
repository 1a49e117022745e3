-- title: Put back by the stale-job monitor
-- severity: critical
-- why: This job was set from "in progress" back to "pending", which neither system does. The
--   stale-job monitor does, and sends the job's message again. It looks for heartbeats that can
--   never match, so it takes any job for dead that runs longer than its threshold, the old poller's
--   included: both systems then submit again what was submitted.
-- mend: Stop the stale-job monitor for the shadow week, and compare no job that it touched.
-- scope: job
-- reads: jobs where contains(payload, 'in_progress') or contains(payload, 'processing');
--   queue_history where contains(payload, 'requeued_stale')
WITH told AS (
    SELECT job_id, seq, occurred_at, (payload->>'$.status_from') AS status_from,
           (payload->>'$.status_to') AS status_to
    FROM events_now
    WHERE kind = 'queue_history' AND source = 'production'
      AND (payload->>'$.metadata.event') = 'requeued_stale'
), worded AS (
    SELECT job_id, seq, occurred_at, (payload->>'$.status') AS status_to,
           lag(payload->>'$.status') OVER (PARTITION BY job_id ORDER BY seq) AS status_from
    FROM events_now
    WHERE kind = 'jobs' AND source = 'production'
), seen AS (
    SELECT job_id, seq, occurred_at, status_from, status_to FROM worded
    WHERE status_from IN ('in_progress', 'processing') AND status_to IN ('pending', 'queued')
), found AS (
    -- The monitor's own word tells of the same as the row that it changed.
    SELECT * FROM told
    UNION ALL BY NAME
    SELECT * FROM seen WHERE job_id NOT IN (SELECT job_id FROM told WHERE job_id IS NOT NULL)
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       count(*) || ' time(s), last ' || strftime(max(occurred_at), '%H:%M:%S') || ' UTC: '
           || concat_ws(' to ', arg_max(status_from, seq), arg_max(status_to, seq)) AS detail,
       max(seq) AS seq
FROM found
GROUP BY job_id
ORDER BY seq, job_id, directory, detail;
