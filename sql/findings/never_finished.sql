-- title: Flow started, job never ended
-- severity: critical
-- why: The candidate started the flow of this job and wrote neither an end of the job nor of the
--   flow. No submission of it hangs, so nothing else explains the silence.
-- mend: Look the flow run up in Prefect: it crashed, was cancelled, or could not write its end.
SELECT 'live' AS mode, job_id, NULL AS directory,
       'flow_started ' || strftime(flow_started_at, '%H:%M:%S') || ' UTC, no end since' AS detail,
       from_seq AS seq
FROM jobs_now j
WHERE flow_started_at IS NOT NULL AND candidate_finished_at IS NULL
  -- The last sign of the job, not its start: a job of many directories runs long.
  AND epoch($until - greatest(flow_started_at, (
        SELECT max(greatest(started_at, finished_at)) FROM submissions_now s
        WHERE s.job_id = j.job_id AND s.side = 'candidate' AND s.mode = 'live'
      ))) * $time_scale > $deadline_s
  AND NOT EXISTS (SELECT 1 FROM submissions_now s
                  WHERE s.job_id = j.job_id AND s.side = 'candidate' AND s.mode = 'live'
                    AND s.outcome = 'in_flight')
ORDER BY flow_started_at, job_id;
