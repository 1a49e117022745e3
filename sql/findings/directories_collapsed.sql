-- title: Several directories became one
-- severity: warning
-- why: The control has several rows whose addresses share a host; the candidate keys directories by
--   host alone and keeps one of them. The others are never submitted and no event says so.
-- mend: Key directories by their whole address, or split such a job before it is enqueued.
-- scope: job
-- reads: submissions_now
WITH controls AS (
    SELECT *, hash(job_id, directory) AS place FROM submissions_now
    WHERE side = 'control' AND mode = 'live'
), several AS (
    -- Most places have one row; a number is soon counted.
    SELECT place FROM controls GROUP BY place HAVING count(*) > 1
)
SELECT 'live' AS mode, job_id, directory,
       count(*) || ' control rows: ' || string_agg(url, ', ' ORDER BY url) AS detail,
       max(from_seq) AS seq
FROM controls JOIN several USING (place)
GROUP BY job_id, directory
HAVING count(*) > 1
ORDER BY job_id, directory, detail, seq;
