-- title: Most of one job timed out together
-- severity: critical
-- why: Five or more directories of one job, half of it at least, ran out of time at the candidate
--   where the old poller submitted. That many sites do not fail at once: the machine does, for want
--   of memory or cores, when every directory gets a browser of its own at the same moment.
-- mend: Limit how many directories are worked at once, and run large jobs again with the limit.
-- scope: job
-- reads: submissions_now where side = 'candidate' and outcome = 'failed'
--     and error_class = 'timeout'
WITH worked AS (
    SELECT c.job_id, c.directory, c.from_seq, c.started_at, c.finished_at,
           c.outcome = 'failed' AND c.error_class = 'timeout' AS late
    FROM submissions_now c
    JOIN (SELECT job_id, directory FROM submissions_now
          WHERE side = 'control' AND mode = 'live'
          GROUP BY job_id, directory HAVING bool_and(outcome = 'submitted')) USING (job_id, directory)
    WHERE c.side = 'candidate' AND c.mode = 'live'
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       count(*) FILTER (late) || ' of ' || count(*) || ' directories timed out, the first at '
           || strftime(min(finished_at) FILTER (late), '%H:%M:%S') || ' and the last at '
           || strftime(max(finished_at) FILTER (late), '%H:%M:%S') || ' UTC' AS detail,
       max(from_seq) FILTER (late) AS seq
FROM worked
GROUP BY job_id
HAVING count(*) FILTER (late) >= 5 AND 2 * count(*) FILTER (late) >= count(*)
ORDER BY job_id, directory, detail, seq;
