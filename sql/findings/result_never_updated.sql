-- title: Result rows stand still
-- severity: warning
-- why: queue_history tells how these submissions ended, and their rows in job_results still say
--   "submitting": the worker finds its row and does not write to it. Whoever counts successes in
--   job_results, a portal or a query, counts none.
-- mend: Let the worker update the row that it finds. Until then read outcomes from queue_history.
-- scope: job
-- reads: job_results where 'submitting' in (payload->>'$.status', payload->>'$.submission_status')
WITH rows AS (
    SELECT job_id, host_of(directory) AS directory, (payload->>'$.idempotency_key') AS idem,
           arg_max(coalesce(payload->>'$.status', payload->>'$.submission_status'), seq) AS word,
           max(seq) AS seq
    FROM events_now
    WHERE kind = 'job_results' AND source = 'production'
      AND (payload->>'$.idempotency_key') IS NOT NULL
    GROUP BY ALL
), ended AS (
    SELECT job_id, directory FROM submissions_now
    WHERE side = 'candidate' AND mode = 'live'
      AND raw_status IN ('submitted', 'failed')
      -- The row may be written a moment after the history.
      AND epoch($until - finished_at) * $time_scale > 60
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       count(*) FILTER (word = 'submitting') || ' of ' || count(*)
           || ' ended submission(s) still submitting in job_results' AS detail,
       max(seq) AS seq
-- A second row under another key is a fault of its own: here the best of them counts.
FROM (SELECT job_id, directory, max(seq) AS seq,
             CASE WHEN bool_and(word = 'submitting') THEN 'submitting' END AS word
      FROM rows GROUP BY job_id, directory)
JOIN ended USING (job_id, directory)
GROUP BY job_id
HAVING count(*) FILTER (word = 'submitting') > 0
ORDER BY job_id, directory, detail, seq;
