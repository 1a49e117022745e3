-- title: A worker fell silent with work in hand
-- severity: warning
-- why: Its last heartbeat is older than two minutes, and it said "running" or held a job that is still
--   in progress: it hangs, was killed, or cannot reach the database. Workers that ended in good order
--   stay in the table as idle and are not counted.
-- mend: Look at the log of that worker, restart it, and check what became of its job.
-- scope: journal
-- reads: workers.sample
SELECT 'live' AS mode, NULL AS job_id, NULL AS directory,
       'worker ' || worker || ' in ' || count(*) || ' sample(s), from '
           || strftime(min(occurred_at), '%d %B %H:%M:%S') || ' to '
           || strftime(max(occurred_at), '%d %B %H:%M:%S') || ' UTC' AS detail,
       max(seq) AS seq
FROM (
    SELECT seq, occurred_at, unnest((payload->>'$.stale[*]')) AS worker
    FROM events_now
    WHERE kind = 'workers.sample'
      AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
)
GROUP BY worker
ORDER BY worker, job_id, directory, detail, seq;
