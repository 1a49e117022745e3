-- title: Flow started, job never ended
-- severity: critical
-- why: The candidate started the flow of this job and wrote no end of the job, and no submission of
--   it hangs, so nothing else explains the silence. Where flow_completed follows all the same,
--   finalising the job failed and the error was swallowed.
-- mend: Look the flow run up in Prefect: it crashed, was cancelled, or could not write its end.
-- scope: job
-- reads: jobs_now where candidate_finished_at is null
--     and flow_started_at <= $until - to_seconds($deadline_s / $time_scale)
WITH started AS (
    -- The last sign of the job, not its start: a job of many directories runs long.
    SELECT job_id, flow_started_at, from_seq,
           greatest(flow_started_at, (
               SELECT max(greatest(started_at, finished_at)) FROM submissions_now s
               WHERE s.job_id = j.job_id AND s.side = 'candidate' AND s.mode = 'live'
           )) AS last_at
    FROM jobs_now j
    WHERE flow_started_at IS NOT NULL AND candidate_finished_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM submissions_now s
                      WHERE s.job_id = j.job_id AND s.side = 'candidate' AND s.mode = 'live'
                        AND s.outcome = 'in_flight')
), completed AS (
    SELECT job_id, max(occurred_at) AS completed_at FROM events_now
    WHERE kind = 'queue_history' AND source = 'production'
      AND (payload->>'$.event') = 'flow_completed'
    GROUP BY job_id
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       'flow_started ' || strftime(flow_started_at, '%H:%M:%S') || ' UTC, '
           || coalesce('flow_completed ' || strftime(completed_at, '%H:%M:%S')
                       || ' UTC, no job_finalized since', 'no end since') AS detail,
       from_seq AS seq
FROM started LEFT JOIN completed USING (job_id)
WHERE epoch($until - last_at) * $time_scale > $deadline_s
  AND NOT EXISTS (
        SELECT 1 FROM blind
        WHERE coalesce(to_at > last_at, true)
          AND coalesce(epoch(from_at - last_at) * $time_scale <= $deadline_s, true))
ORDER BY flow_started_at, job_id, directory, detail, seq;
