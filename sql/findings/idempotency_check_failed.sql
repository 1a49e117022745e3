-- title: The idempotency check fails
-- severity: critical
-- why: Before it begins, the worker looks for an earlier row of the submission, and that look
--   fails: nothing is submitted, and no row in job_results tells that it was tried. A client that
--   answers None instead of an empty result looks like this.
-- mend: Treat an empty answer as "no row", and pin the version of the database client that does so.
-- scope: job
-- reads: queue_history where contains(payload, 'Failed to check idempotency')
SELECT 'live' AS mode, job_id, directory,
       count(*) || ' time(s): ' || left(arg_max(error, seq), 120) AS detail, max(seq) AS seq
FROM (
    SELECT job_id, host_of(directory) AS directory, (payload->>'$.details.error') AS error, seq
    FROM events_now
    WHERE kind = 'queue_history' AND source = 'production' AND (payload->>'$.event') = 'error'
)
WHERE error LIKE 'Failed to check idempotency%' AND job_id IN (SELECT job_id FROM jobs_now)
GROUP BY job_id, directory
ORDER BY job_id, directory, detail, seq;
