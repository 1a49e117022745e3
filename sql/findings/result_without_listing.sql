-- title: Submitted, and nobody knows where
-- severity: warning
-- why: Rows of job_results say "submitted" and hold neither the listing's address nor a screenshot:
--   the worker has both and drops them. The customer cannot be shown what was paid for, and a
--   success cannot be checked by hand.
-- mend: Pass both addresses on to the statement that ends the row.
-- scope: job
-- reads: job_results where (payload->>'$.listing_url') is null
SELECT 'live' AS mode, job_id, NULL AS directory,
       count(*) FILTER (bare) || ' of ' || count(*) || ' submitted row(s) without an address'
           AS detail,
       max(seq) AS seq
FROM (
    SELECT job_id, (payload->>'$.idempotency_key') AS idem, max(seq) AS seq,
           arg_max(coalesce(payload->>'$.status', payload->>'$.submission_status'), seq) AS word,
           bool_and((payload->>'$.listing_url') IS NULL
                    AND (payload->>'$.screenshot_url') IS NULL) AS bare
    FROM events_now
    WHERE kind = 'job_results' AND source = 'production'
      AND (payload->>'$.idempotency_key') IS NOT NULL
    GROUP BY ALL
)
WHERE word = 'submitted' AND job_id IN (SELECT job_id FROM jobs_now)
GROUP BY job_id
HAVING count(*) FILTER (bare) > 0
ORDER BY job_id, directory, detail, seq;
