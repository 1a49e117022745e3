-- title: No plan to submit by
-- severity: critical
-- why: The worker asked for a plan at every attempt and never got one, so nothing was ever opened.
--   Many of them at once mean a wrong address of the planning service, not a weak moment of it.
-- mend: Check the service's address: with a scheme, and without the path that the client adds. Then
--   re-queue the jobs.
-- scope: job
-- reads: queue_history where contains(payload, 'Failed to get submission plan')
SELECT 'live' AS mode, job_id, directory,
       count(*) || ' attempt(s), last: ' || left(arg_max(error, seq), 120) AS detail, max(seq) AS seq
FROM (
    SELECT job_id, host_of(directory) AS directory, (payload->>'$.event') AS event,
           (payload->>'$.details.error') AS error, seq
    FROM events_now
    WHERE kind = 'queue_history' AND source = 'production' AND directory IS NOT NULL
)
WHERE job_id IN (SELECT job_id FROM jobs_now)
GROUP BY job_id, directory
HAVING bool_and(event = 'error' AND coalesce(error LIKE 'Failed to get submission plan%', false))
ORDER BY job_id, directory, detail, seq;
