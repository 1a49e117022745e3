-- title: An event loop inside an event loop
-- severity: critical
-- why: The worker calls asyncio.run() where a loop runs already, which always raises. Every attempt at
--   every directory fails before a browser opens, whatever the site.
-- mend: Await the plan's coroutine in the task, or run it in a thread of its own.
-- scope: job
-- reads: queue_history where contains(payload, 'asyncio.run() cannot be called')
SELECT 'live' AS mode, job_id, directory,
       count(*) || ' time(s): ' || left(arg_max(error, seq), 120) AS detail, max(seq) AS seq
FROM (
    SELECT job_id, host_of(directory) AS directory, (payload->>'$.details.error') AS error, seq
    FROM events_now
    WHERE kind = 'queue_history' AND source = 'production' AND (payload->>'$.event') = 'error'
)
WHERE error LIKE '%asyncio.run() cannot be called from a running event loop%' AND job_id IN (SELECT job_id FROM jobs_now)
GROUP BY job_id, directory
ORDER BY job_id, directory, detail, seq;
