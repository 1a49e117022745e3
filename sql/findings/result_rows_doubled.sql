-- title: Two result rows for one submission
-- severity: warning
-- why: job_results holds several rows for one directory of one job, under different idempotency keys.
--   The key is there to make a second submission impossible; a key that changes between attempts
--   does not, and a row that nobody writes to any more stays at its last word for ever.
-- mend: Compute the key from job and directory alone, once, before the first attempt.
-- scope: job
-- reads: job_results
SELECT 'live' AS mode, job_id, directory,
       count(DISTINCT idem) || ' keys: ' || string_agg(word, ' and ' ORDER BY seq) AS detail,
       max(seq) AS seq
FROM (
    SELECT job_id, host_of(directory) AS directory, (payload->>'$.idempotency_key') AS idem,
           arg_max(coalesce(payload->>'$.status', payload->>'$.submission_status'), seq) AS word,
           min(seq) AS seq
    FROM events_now
    WHERE kind = 'job_results' AND source = 'production'
      AND (payload->>'$.idempotency_key') IS NOT NULL
    GROUP BY ALL
)
WHERE job_id IN (SELECT job_id FROM jobs_now)
GROUP BY job_id, directory
HAVING count(DISTINCT idem) > 1
ORDER BY job_id, directory, detail, seq;
