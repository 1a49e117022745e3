-- title: The candidate's history cannot be observed
-- severity: critical
-- why: queue_history has no column "event" here, the shape from before the migration, so nothing
--   that the candidate does can be seen in it. Its silence is no loss and its outcomes are unknown:
--   there is no evidence, for it or against it.
-- mend: Add the columns that shadow doctor names to queue_history. For a week that began before
--   that, count jobs from then on only (compare.since).
-- scope: blind
-- reads: jobs_now blind
WITH unheard AS (
    SELECT created_at FROM jobs_now j
    WHERE created_at IS NOT NULL AND claimed_at IS NULL AND triggered_at IS NULL
      AND flow_started_at IS NULL
), counted AS (
    SELECT seq, from_at, to_at, count(created_at) AS jobs
    FROM blind LEFT JOIN unheard
      ON coalesce(created_at < to_at, true)
     AND coalesce(epoch(from_at - created_at) * $time_scale <= $deadline_s, true)
    GROUP BY ALL
)
SELECT 'live' AS mode, NULL AS job_id, NULL AS directory,
       coalesce('from ' || strftime(from_at, '%d %b %H:%M:%S') || ' UTC', 'from the beginning')
           || coalesce(' to ' || strftime(to_at, '%d %b %H:%M:%S') || ' UTC', ' until now')
           || ': ' || jobs || ' job(s) of which nothing is known of the candidate' AS detail,
       seq
FROM counted
WHERE to_at IS NULL OR jobs > 0
ORDER BY seq, job_id, directory, detail;
