-- title: Prefect had no deployment to run
-- severity: critical
-- why: Prefect knew no deployment at all, or not the one that the subscriber triggers. Every trigger
--   fails then, and a message that was tried three times is given up to the dead-letter queue.
-- mend: Deploy the flow, or correct prefect.deployment in the settings if it names another one. Then
--   re-queue what lies in the dead-letter queue.
-- scope: journal
-- reads: prefect.sample
SELECT 'live' AS mode, NULL AS job_id, NULL AS directory,
       lacks || ' in ' || count(*) || ' sample(s), from '
           || strftime(min(occurred_at), '%d %B %H:%M:%S') || ' to '
           || strftime(max(occurred_at), '%d %B %H:%M:%S') || ' UTC' AS detail,
       max(seq) AS seq
FROM (
    SELECT seq, occurred_at,
           CASE WHEN (payload->>'$.deployments')::INT = 0 THEN 'no deployment at all'
                WHEN NOT (payload->>'$.deployment.exists')::BOOL
                THEN (payload->>'$.deployment.name') || ' is missing' END AS lacks
    FROM events_now
    WHERE kind = 'prefect.sample'
      AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
)
WHERE lacks IS NOT NULL
GROUP BY lacks
ORDER BY lacks, job_id, directory, detail, seq;
