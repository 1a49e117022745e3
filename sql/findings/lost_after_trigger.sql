-- title: Message consumed, flow never started
-- severity: critical
-- why: The subscriber claimed the message, triggered a flow run and deleted the message; the flow
--   never started. Nothing will retry it and the dead-letter queue stays empty: this is silent
--   loss.
-- mend: Re-queue the job, and let the subscriber delete a message only when the flow has started.
-- scope: job
-- reads: jobs_now where triggered_at is not null and flow_started_at is null
SELECT 'live' AS mode, job_id, NULL AS directory,
       'flow_triggered ' || strftime(triggered_at, '%H:%M:%S') || ' UTC, no flow_started since'
           AS detail,
       from_seq AS seq
FROM jobs_now
WHERE triggered_at IS NOT NULL AND flow_started_at IS NULL
  AND epoch($until - triggered_at) * $time_scale > $deadline_s
  AND NOT EXISTS (
        SELECT 1 FROM blind
        WHERE coalesce(to_at > triggered_at, true)
          AND coalesce(epoch(from_at - triggered_at) * $time_scale <= $deadline_s, true))
ORDER BY triggered_at, job_id, directory, detail, seq;
