-- title: Put back by the stale-job monitor
-- severity: critical
-- why: The monitor took this job for dead, set it back to pending and sent its message again. It
--   looks for heartbeats that can never match, so it does this to any job that runs longer than its
--   threshold, the old poller's included: both systems then submit again what was submitted.
-- mend: Stop the stale-job monitor for the shadow week, and compare no job that it touched.
SELECT 'live' AS mode, job_id, NULL AS directory,
       count(*) || ' time(s), last ' || strftime(max(occurred_at), '%H:%M:%S') || ' UTC: '
           || concat_ws(' to ', arg_max(payload->>'$.status_from', seq),
                        arg_max(payload->>'$.status_to', seq)) AS detail,
       max(seq) AS seq
FROM events_now
WHERE kind = 'queue_history' AND source = 'production'
  AND (payload->>'$.metadata.event') = 'requeued_stale'
GROUP BY job_id
ORDER BY seq;
