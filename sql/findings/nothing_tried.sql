-- title: Ended without one attempt
-- severity: critical
-- why: The flow ended this job and counted its directories, and there is no event of any of them: not
--   one was begun. A flow that counts its tasks without waiting for them looks like this, and its
--   "failed" says nothing about the sites.
-- mend: Await every task of the flow before counting. Then re-queue the jobs.
-- scope: job
-- reads: queue_history where case when contains(payload, 'job_finalized')
--     then try_cast(payload->>'$.details.total' as int) > 0 end
WITH ended AS (
    SELECT job_id, arg_max(payload->'$.details', seq) AS details, max(occurred_at) AS ended_at,
           max(seq) AS seq
    FROM events_now
    WHERE kind = 'queue_history' AND source = 'production'
      AND (payload->>'$.event') = 'job_finalized'
    GROUP BY job_id
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       'finalised ' || (details->>'$.final_status') || ' ' || strftime(ended_at, '%H:%M:%S')
           || ' UTC with ' || (details->>'$.total') || ' directories, ' || (details->>'$.failed')
           || ' of them failed, none begun' AS detail,
       e.seq
FROM ended e JOIN jobs_now USING (job_id)
WHERE TRY_CAST(details->>'$.total' AS INT) > 0
  AND NOT EXISTS (SELECT 1 FROM submissions_now s
                  WHERE s.job_id = e.job_id AND s.side = 'candidate' AND s.mode = 'live'
                    AND s.raw_status IS NOT NULL)
ORDER BY ended_at, job_id, directory, detail, seq;
