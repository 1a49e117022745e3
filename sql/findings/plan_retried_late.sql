-- title: A weak moment costs an attempt
-- severity: warning
-- why: The planning service failed once and answered later, but the call was not repeated by itself:
--   the whole task failed, waited half a minute and began again. The retry around the call does
--   nothing, and the task's few attempts are used up by what a second call would have mended.
-- mend: Await the call inside the retry. A retry around a coroutine that nobody awaits sees no error.
-- scope: job
-- reads: queue_history where contains(payload, 'Failed to get submission plan')
WITH told AS (
    SELECT job_id, host_of(directory) AS directory, seq, occurred_at,
           coalesce((payload->>'$.event') = 'error'
                    AND (payload->>'$.details.error') LIKE 'Failed to get submission plan%', false)
               AS planless
    FROM events_now
    WHERE kind = 'queue_history' AND source = 'production' AND directory IS NOT NULL
), followed AS (
    SELECT *, lead(planless) OVER w AS next_planless,
           epoch(lead(occurred_at) OVER w - occurred_at) * $time_scale AS next_s
    FROM told WINDOW w AS (PARTITION BY job_id, directory ORDER BY seq)
)
SELECT 'live' AS mode, job_id, directory,
       'no plan ' || strftime(occurred_at, '%H:%M:%S') || ' UTC, begun again after '
           || round(next_s)::INT || ' s' AS detail,
       seq
FROM followed
WHERE planless AND NOT next_planless AND job_id IN (SELECT job_id FROM jobs_now)
ORDER BY job_id, directory, seq, detail;
