-- title: Job never reached the new queue
-- severity: critical
-- why: The job exists in production and the old poller knows it, but the candidate never claimed a
--   message for it, nothing else of the candidate is known of it, and its deadline has passed. A
--   purchase path that creates jobs without enqueueing them looks like this.
-- mend: Enqueue the job id again, and find the code path that created it without sending a message.
-- scope: job
-- reads: jobs_now where claimed_at is null and triggered_at is null and flow_started_at is null
SELECT 'live' AS mode, job_id, NULL AS directory,
       'created ' || strftime(created_at, '%H:%M:%S') || ' UTC, no queue_claimed since' AS detail,
       from_seq AS seq
FROM jobs_now j
WHERE created_at IS NOT NULL AND claimed_at IS NULL AND triggered_at IS NULL
  AND flow_started_at IS NULL AND candidate_finished_at IS NULL
  AND epoch($until - created_at) * $time_scale > $deadline_s
  AND NOT EXISTS (SELECT 1 FROM submissions_now s
                  WHERE s.job_id = j.job_id AND s.side = 'candidate' AND s.mode = 'live'
                    AND s.raw_status IS NOT NULL)
  AND NOT EXISTS (
        SELECT 1 FROM blind
        WHERE coalesce(to_at > created_at, true)
          AND coalesce(epoch(from_at - created_at) * $time_scale <= $deadline_s, true))
ORDER BY created_at, job_id, directory, detail, seq;
