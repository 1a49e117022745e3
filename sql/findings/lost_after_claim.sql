-- title: Message claimed, flow never triggered
-- severity: critical
-- why: The subscriber wrote that it had claimed the message, and no flow run was ever triggered for
--   it. It may be on its way to the dead-letter queue, or gone.
-- mend: Look for the message in the dead-letter queue and for the subscriber's error at that time;
--   a missing Prefect deployment looks like this. Then re-queue the job.
-- scope: job
-- reads: jobs_now where claimed_at is not null and triggered_at is null and flow_started_at is null
SELECT 'live' AS mode, job_id, NULL AS directory,
       'queue_claimed ' || strftime(claimed_at, '%H:%M:%S') || ' UTC, no flow_triggered since'
           AS detail,
       from_seq AS seq
FROM jobs_now
WHERE claimed_at IS NOT NULL AND triggered_at IS NULL AND flow_started_at IS NULL
  AND epoch($until - claimed_at) * $time_scale > $deadline_s
  AND NOT EXISTS (
        SELECT 1 FROM blind
        WHERE coalesce(to_at > claimed_at, true)
          AND coalesce(epoch(from_at - claimed_at) * $time_scale <= $deadline_s, true))
ORDER BY claimed_at, job_id, directory, detail, seq;
